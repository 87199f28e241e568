{{- define "cloudsso-exporter.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- .Values.fullnameOverride | default $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "cloudsso-exporter.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "cloudsso-exporter.metadata" -}}
name: {{ include "cloudsso-exporter.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "cloudsso-exporter.selector" . | nindent 2 }}
{{- end -}}

{{- define "cloudsso-exporter.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "cloudsso-exporter.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- /* Seconds of a duration such as 1h30m; nothing of what is not one. */}}
{{- define "cloudsso-exporter.seconds" -}}
{{- if regexMatch "^([0-9]+[smhd])+$" . -}}
{{- $units := dict "s" 1 "m" 60 "h" 3600 "d" 86400 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[smhd]" . -1 -}}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | int) (get $units (regexFind "[smhd]" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}
{{- end -}}

{{- /* 4/5 of a memory limit in Mi or Gi, as Go writes it. */}}
{{- define "cloudsso-exporter.memoryLimit" -}}
{{- if regexMatch "^[0-9]+[MG]i$" . -}}
{{- div (mul (regexFind "[0-9]+" . | int) (hasSuffix "Gi" . | ternary 1024 1) 4) 5 }}MiB
{{- end -}}
{{- end -}}
