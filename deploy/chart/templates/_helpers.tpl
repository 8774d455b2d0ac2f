{{- define "dragoman.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "dragoman.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains (include "dragoman.name" .) .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "dragoman.name" .) | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "dragoman.selectorLabels" -}}
app.kubernetes.io/name: {{ include "dragoman.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dragoman.labels" -}}
{{ include "dragoman.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "dragoman.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "dragoman.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "dragoman.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The configuration file. With metrics.port, /metrics has an address of its own. */}}
{{- define "dragoman.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if and (gt (int .Values.metrics.port) 0) (not (dig "telemetry" "metrics_address" "" $config)) -}}
{{- $telemetry := merge (dict "metrics_address" (printf "0.0.0.0:%d" (int .Values.metrics.port))) (default dict $config.telemetry) -}}
{{- $_ := set $config "telemetry" $telemetry -}}
{{- end -}}
{{ toYaml $config }}
{{- end -}}

{{/* Port of an address such as 0.0.0.0:50051. */}}
{{- define "dragoman.portOf" -}}
{{- $port := regexFind "[0-9]+$" (toString .address) -}}
{{- if not $port -}}
{{- fail (printf "config.%s.address: write host:port, such as 0.0.0.0:%s" .name .example) -}}
{{- end -}}
{{- $port -}}
{{- end -}}
{{- define "dragoman.grpcPort" -}}
{{- include "dragoman.portOf" (dict "name" "grpc" "example" "50051" "address" (dig "grpc" "address" "" .Values.config)) -}}
{{- end -}}
{{- define "dragoman.httpPort" -}}
{{- include "dragoman.portOf" (dict "name" "http" "example" "8080" "address" (dig "http" "address" "" .Values.config)) -}}
{{- end -}}

{{/* Whole seconds of a duration such as 500ms, 30s, 10m, 1h or a number of milliseconds, rounded up. */}}
{{- define "dragoman.seconds" -}}
{{- $text := .value | toString | replace " " "" -}}
{{- if kindIs "float64" .value -}}{{- $text = printf "%d" (int64 .value) -}}{{- end -}}
{{- if not (regexMatch "^[0-9]+(ms|s|m|h)?$" $text) -}}
{{- fail (printf "config.shutdown.%s: %s has no known length; set terminationGracePeriodSeconds" .name $text) -}}
{{- end -}}
{{- $amount := regexFind "^[0-9]+" $text | int64 -}}
{{- $factor := get (dict "" 1 "ms" 1 "s" 1000 "m" 60000 "h" 3600000) (regexFind "[a-z]*$" $text) -}}
{{- div (add (mul $amount $factor) 999) 1000 -}}
{{- end -}}

{{/* At most 5 s ship the outbox after the grace, and the rest closes connections. */}}
{{- define "dragoman.terminationGracePeriodSeconds" -}}
{{- if not (kindIs "invalid" .Values.terminationGracePeriodSeconds) -}}
{{- int .Values.terminationGracePeriodSeconds -}}
{{- else -}}
{{- $delay := include "dragoman.seconds" (dict "name" "delay" "value" (dig "shutdown" "delay" "0s" .Values.config)) -}}
{{- $grace := include "dragoman.seconds" (dict "name" "grace" "value" (dig "shutdown" "grace" "30s" .Values.config)) -}}
{{- add (int $delay) (int $grace) 10 -}}
{{- end -}}
{{- end -}}

{{/* What a probe asks. Kubernetes cannot probe gRPC over TLS. */}}
{{- define "dragoman.probe" -}}
{{- $grpc := default dict .root.Values.config.grpc -}}
{{- $http := default dict .root.Values.config.http -}}
{{- if not $grpc.tls -}}
grpc:
  port: {{ include "dragoman.grpcPort" .root }}
{{- else -}}
{{- if dig "tls" "client_authority" "" $http -}}
{{- fail "config.http.tls.client_authority: probes have no client certificate; remove it, or remove config.grpc.tls" -}}
{{- end -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ if $http.tls }}HTTPS{{ else }}HTTP{{ end }}
{{- end -}}
{{- end -}}
