{{/* The services' configuration files. No secret goes in here: secrets are files of their own. */}}

{{- define "paymesh.identities" -}}
{{- $list := list -}}
{{- range $name := include "paymesh.all" . | fromJsonArray -}}
{{- $peer := dict "root" $ "name" $name -}}{{- include "paymesh.load" $peer -}}
{{- $list = append $list (dict "name" $name "role" "service" "uri" (include "paymesh.spiffeId" $peer)) -}}
{{- end -}}
{{- toJson (concat $list .Values.identities) -}}
{{- end }}

{{- define "paymesh.peers" -}}
{{- $peers := dict -}}
{{- $root := .root -}}
{{- range $name := index (include "paymesh.calls" . | fromYaml) .name -}}
{{- $peer := dict "root" $root "name" $name -}}{{- include "paymesh.load" $peer -}}
{{- $_ := set $peers $name (include "paymesh.address" $peer) -}}
{{- end -}}
{{- toJson $peers -}}
{{- end }}

{{/* A service's file; .forMigration leaves out what a migration's pod does not mount. */}}
{{- define "paymesh.config" -}}
{{- $v := .v -}}
{{- $listen := .root.Values.listenAddress -}}
{{- $ports := .root.Values.ports -}}
{{- $database := dict "pool_size" $v.database.poolSize -}}
{{- if eq $v.database.secret.format "serviceFile" -}}
{{- $_ := set $database "conninfo" "service=paymesh" -}}
{{- else -}}
{{- $_ := set $database "conninfo_file" "/etc/paymesh/secrets/conninfo" -}}
{{- end -}}
{{- $config := dict
    "listen" (dict "grpc" (printf "%s:%v" $listen $ports.grpc) "health" (printf "%s:%v" $listen $ports.health)
                   "metrics" (printf "%s:%v" ($listen | trimPrefix "[" | trimSuffix "]") $ports.metrics))
    "tls" (dict "certificate" "/etc/paymesh/tls/tls.crt" "key" "/etc/paymesh/tls/tls.key" "ca" "/etc/paymesh/tls/ca.crt")
    "database" $database
    "chains_file" (printf "/etc/paymesh/chains/%s" .root.Values.chains.key)
    "environment" .root.Values.global.environment
    "log" (dict "level" $v.log.level)
    "threads" $v.threads
    "reflection" .root.Values.reflection.enabled
    "drain_delay" (printf "%vs" $v.shutdown.drainDelaySeconds)
    "shutdown_grace" (printf "%vs" $v.shutdown.graceSeconds)
    "identities" (include "paymesh.identities" .root | fromJsonArray) -}}
{{- $peers := include "paymesh.peers" . | fromJson -}}
{{- if $peers -}}{{- $_ := set $config "peers" $peers -}}{{- end -}}
{{- if and $v.pageToken.enabled (not .forMigration) -}}
{{- $_ := set $config "page_token_key_file" "/etc/paymesh/secrets/page-token-key" -}}
{{- end -}}
{{- if include "paymesh.usesKeystore" . -}}
{{- $_ := set $config "signer" (dict "keystore_file" "/etc/paymesh/secrets/operator-keystore.json"
    "password_file" "/etc/paymesh/secrets/operator-keystore-password") -}}
{{- end -}}
{{- include "paymesh.merge" (list $config (deepCopy $v.config)) -}}
{{- toYaml $config -}}
{{- end }}

{{/* The content of a ConfigMap: the service's file and, where they are given inline, the chains. */}}
{{- define "paymesh.configData" -}}
config.yaml: |
  {{- include "paymesh.config" . | nindent 2 }}
{{- $chains := .root.Values.chains }}
{{- if $chains.inline }}
{{ $chains.key }}: |
  {{- dict "chains" $chains.inline | toYaml | nindent 2 }}
{{- end }}
{{- end }}
