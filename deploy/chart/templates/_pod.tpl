{{/* The pod, which StatefulSet and Deployment share. */}}
{{- define "dragoman.pod" -}}
metadata:
  labels:
    {{- include "dragoman.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or .Values.podAnnotations (not .Values.reload) }}
  annotations:
    {{- if not .Values.reload }}
    checksum/config: {{ include "dragoman.config" . | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ include "dragoman.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automountToken }}
  terminationGracePeriodSeconds: {{ include "dragoman.terminationGracePeriodSeconds" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  containers:
    - name: dragoman
      image: {{ include "dragoman.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: ["serve", "--config", "/etc/dragoman/dragoman.yaml"]
      {{- with .Values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        - name: NODE_OPTIONS
          value: --max-old-space-size={{ int .Values.maxHeapMiB }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if or .Values.existingSecret .Values.secret .Values.extraEnvFrom }}
      envFrom:
        {{- if .Values.secret }}
        - secretRef:
            name: {{ include "dragoman.fullname" . }}
        {{- end }}
        {{- with .Values.existingSecret }}
        - secretRef:
            name: {{ . }}
        {{- end }}
        {{- with .Values.extraEnvFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        - name: grpc
          containerPort: {{ include "dragoman.grpcPort" . }}
        - name: http
          containerPort: {{ include "dragoman.httpPort" . }}
        {{- if gt (int .Values.metrics.port) 0 }}
        - name: metrics
          containerPort: {{ int .Values.metrics.port }}
        {{- end }}
      startupProbe:
        {{- include "dragoman.probe" (dict "root" . "path" "/healthz") | nindent 8 }}
        {{- toYaml .Values.startupProbe | nindent 8 }}
      readinessProbe:
        {{- include "dragoman.probe" (dict "root" . "path" "/readyz") | nindent 8 }}
        {{- toYaml .Values.readinessProbe | nindent 8 }}
      livenessProbe:
        {{- include "dragoman.probe" (dict "root" . "path" "/healthz") | nindent 8 }}
        {{- toYaml .Values.livenessProbe | nindent 8 }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        # The folder and not the file: Kubernetes does not update a mounted file.
        - name: config
          mountPath: /etc/dragoman
          readOnly: true
        - name: data
          mountPath: /var/lib/dragoman
        - name: tmp
          mountPath: /tmp
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "dragoman.fullname" . }}
    - name: tmp
      emptyDir: {}
    {{- if not .Values.persistence.enabled }}
    - name: data
      emptyDir:
        sizeLimit: {{ .Values.persistence.size }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "dragoman.selectorLabels" . | nindent 10 }}
    {{- end }}
{{- end -}}
