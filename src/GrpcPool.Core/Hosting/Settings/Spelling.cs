namespace GrpcPool.Core.Hosting.Settings;

/// <summary>Finds the word that was meant.</summary>
internal static class Spelling
{
    private const int DistanceMax = 3;

    /// <summary>The word nearest to one that is misspelt; null when none is near.</summary>
    public static string? Nearest(string misspelt, IEnumerable<string> words)
    {
        string? nearest = words.MinBy(word => Distance(misspelt, word));
        return nearest is not null && Distance(misspelt, nearest) <= Math.Min(DistanceMax, nearest.Length / 2) ? nearest : null;
    }

    /// <summary>How many letters must be put in, taken out or replaced to make one word the other (Levenshtein's distance).</summary>
    private static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = diagonal + (char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[to.Length];
    }
}
