{{/* What the pods of a service and of its migration have in common. */}}

{{/* Labels of a pod: nothing that a new version of the chart alone changes, or it would restart every pod. */}}
{{- define "paymesh.podLabels" -}}
{{- include "paymesh.selectorFor" . }}
app.kubernetes.io/part-of: paymesh
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
{{- end }}

{{/* Volumes, readable for the group alone (288 is 0440; YAML's own octals mean different things to different readers); .configMap names the ConfigMap. .forMigration: the connection alone, no certificate. */}}
{{- define "paymesh.volumes" -}}
{{- $secret := default .fullname .v.database.secret.name -}}
{{- if and .forMigration .v.externalSecret.enabled (not .v.database.secret.name) -}}
{{- $secret = .connectionSecret -}}
{{- end -}}
{{- $chains := .root.Values.chains -}}
- name: config
  configMap:
    name: {{ .configMap }}
    items:
      - {key: config.yaml, path: config.yaml}
- name: chains
{{- if $chains.existingSecret }}
  secret:
    secretName: {{ $chains.existingSecret }}
    defaultMode: 288
{{- else }}
  configMap:
    name: {{ default .configMap $chains.existingConfigMap }}
{{- end }}
    items:
      - {key: {{ $chains.key }}, path: {{ $chains.key }}}
- name: secrets
  projected:
    defaultMode: 288
    sources:
      - secret:
          name: {{ $secret }}
          items:
            - key: {{ .v.database.secret.key }}
              path: {{ ternary "pg_service.conf" "conninfo" (eq .v.database.secret.format "serviceFile") }}
{{- if not .forMigration }}
{{- if .v.pageToken.enabled }}
      - secret:
          name: {{ default .fullname .v.pageToken.secret.name }}
          items:
            - {key: {{ .v.pageToken.secret.key }}, path: page-token-key}
{{- end }}
{{- if include "paymesh.usesKeystore" . }}
      - secret:
          name: {{ default .fullname .v.signer.secret.name }}
          items:
            - {key: {{ .v.signer.secret.keystoreKey }}, path: operator-keystore.json}
            - {key: {{ .v.signer.secret.passwordKey }}, path: operator-keystore-password}
{{- end }}
{{- end }}
{{- if include "paymesh.verifiesDatabase" . }}
- name: database-ca
  configMap:
    name: {{ .v.database.ca.configMap }}
    items:
      - {key: {{ .v.database.ca.key }}, path: ca.pem}
{{- end }}
{{- if not .forMigration }}
- name: tls
  secret:
    secretName: {{ include "paymesh.tlsSecret" . }}
    defaultMode: 288
{{- end }}
{{- end }}

{{/* Whole folders, never subPath: kubelet updates those when a certificate is renewed. */}}
{{- define "paymesh.volumeMounts" -}}
- {name: config, mountPath: /etc/paymesh/config, readOnly: true}
- {name: chains, mountPath: /etc/paymesh/chains, readOnly: true}
- {name: secrets, mountPath: /etc/paymesh/secrets, readOnly: true}
{{- if include "paymesh.verifiesDatabase" . }}
- {name: database-ca, mountPath: /etc/paymesh/database-ca, readOnly: true}
{{- end }}
{{- if not .forMigration }}
- {name: tls, mountPath: /etc/paymesh/tls, readOnly: true}
{{- end }}
{{- end }}

{{/* libpq takes these where the connection itself says nothing. */}}
{{- define "paymesh.databaseEnv" -}}
- {name: PGSSLMODE, value: {{ .v.database.sslMode }}}
{{- if include "paymesh.verifiesDatabase" . }}
- {name: PGSSLROOTCERT, value: /etc/paymesh/database-ca/ca.pem}
{{- end }}
{{- if eq .v.database.secret.format "serviceFile" }}
- {name: PGSERVICEFILE, value: /etc/paymesh/secrets/pg_service.conf}
{{- end }}
{{- end }}

{{- define "paymesh.telemetryEnv" -}}
{{- $otel := .root.Values.global.otel -}}
{{- if $otel.endpoint }}
- {name: OTEL_TRACES_EXPORTER, value: otlp}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ $otel.endpoint | quote }}}
- {name: OTEL_TRACES_SAMPLER, value: {{ $otel.sampler }}}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ $otel.samplerArg | quote }}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ printf "deployment.environment=%s,k8s.namespace.name=%s,k8s.pod.name=$(POD_NAME)" .root.Values.global.environment
    .root.Release.Namespace | quote }}
{{- else }}
- {name: OTEL_TRACES_EXPORTER, value: none}
{{- end }}
{{- with .v.aws.region }}
- {name: AWS_REGION, value: {{ . }}}
{{- end }}
{{- end }}

{{- define "paymesh.spread" -}}
{{- $s := . -}}
{{- range .v.topologySpreadConstraints }}
{{- $constraint := deepCopy . }}
{{- if not (hasKey $constraint "labelSelector") }}
{{- $_ := set $constraint "labelSelector" (dict "matchLabels" (include "paymesh.selector" $s | fromYaml)) }}
{{- end }}
{{- if not (hasKey $constraint "matchLabelKeys") }}
{{- $_ := set $constraint "matchLabelKeys" (list "pod-template-hash") }}
{{- end }}
{{ tpl (list $constraint | toYaml) $s.root }}
{{- end }}
{{- end }}
