{{- define "grpcpool.labels" -}}
app.kubernetes.io/name: grpcpool
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The settings: what the chart sets itself, and over it those of the values. */}}
{{- define "grpcpool.settings" -}}
{{- $drain := int .Values.drainSeconds -}}
{{- $own := dict "Pool" (dict "DrainTimeout" (printf "%02d:%02d:%02d" (div $drain 3600) (mod (div $drain 60) 60) (mod $drain 60))) -}}
{{- if .Values.insecure -}}
{{- $_ := set $own "Listen" (dict "Grpc" "http://*:50051" "Http" "" "AllowInsecure" true) -}}
{{- else -}}
{{- $tls := dict "Certificate" "/run/grpcpool/tls/tls.crt" "Key" "/run/grpcpool/tls/tls.key" -}}
{{- $_ := set $own "Listen" (dict "Grpc" "https://*:50051" "Http" "" "Tls" $tls) -}}
{{- $tokens := dict -}}
{{- range $name, $access := .Values.tokens.access -}}
{{- $_ := set $tokens $name (merge (dict "HashFile" (printf "/run/grpcpool/tokens/%s" $name)) $access) -}}
{{- end -}}
{{- $_ := set $own "Access" (dict "Tokens" $tokens) -}}
{{- end -}}
{{- mergeOverwrite $own (deepCopy .Values.settings) | toPrettyJson -}}
{{- end }}
