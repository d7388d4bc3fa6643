using System.Text;

namespace GrpcPool.Cli.Output;

/// <summary>Lines of text whose cells stand in columns, as wide as their widest cell.</summary>
internal sealed class TextColumns
{
    private const int Gap = 2;

    private readonly List<Cell[]> _lines = [];

    public void Add(params Cell[] cells) => _lines.Add(cells);

    public override string ToString()
    {
        int[] widths = [.. Enumerable.Range(0, _lines.Max(static line => line.Length)).Select(WidthOf)];
        var text = new StringBuilder();
        foreach (Cell[] line in _lines)
        {
            for (int i = 0; i < line.Length; i++)
            {
                string blanks = new(' ', i == line.Length - 1 ? 0 : widths[i] - line[i].Text.Length + Gap);
                text.Append(line[i].Colour is { } colour ? Screen.Paint(line[i].Text, colour) : line[i].Text).Append(blanks);
            }

            while (text.Length > 0 && text[^1] == ' ')
                text.Length--;
            text.Append('\n');
        }

        return text.ToString();
    }

    private int WidthOf(int column) => _lines.Where(line => line.Length > column).Max(line => line[column].Text.Length);
}

/// <summary>One cell.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Colour">Its colour, where there are colours.</param>
internal readonly record struct Cell(string Text, string? Colour = null)
{
    public static implicit operator Cell(string text) => new(text);
}
