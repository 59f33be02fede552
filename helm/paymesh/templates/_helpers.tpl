{{/* Names, labels and the merged values of one service. Every template loads a service like this:

       {{- range $name := include "paymesh.enabled" $ | fromJsonArray }}
       {{- $s := dict "root" $ "name" $name }}{{ include "paymesh.load" $s }}

     and then has $s.name, $s.fullname, $s.v (its values) and $s.root. */}}

{{- define "paymesh.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 34 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 34 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 34 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "paymesh.appname" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* Who calls or follows whom: the one source of peers in configuration files and of network policies. */}}
{{- define "paymesh.calls" -}}
checkout: [routing, watcher, settlement]
routing: [watcher, checkout]
watcher: []
settlement: [watcher, checkout]
{{- end }}

{{- define "paymesh.all" -}}
["checkout", "routing", "watcher", "settlement"]
{{- end }}

{{- define "paymesh.enabled" -}}
{{- $names := list -}}
{{- range $name := include "paymesh.all" . | fromJsonArray -}}
{{- if (index $.Values.services $name).enabled -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}

{{/* Merges the second map into the first, in place, deeply. False, 0 and "" replace, as anything else. */}}
{{- define "paymesh.merge" -}}
{{- $into := index . 0 -}}
{{- range $key, $value := index . 1 -}}
{{- $old := get $into $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $old) -}}
{{- include "paymesh.merge" (list $old $value) -}}
{{- else if kindIs "invalid" $value -}}
{{- $_ := unset $into $key -}}
{{- else -}}
{{- $_ := set $into $key $value -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "paymesh.load" -}}
{{- $v := deepCopy .root.Values.defaults -}}
{{- include "paymesh.merge" (list $v (deepCopy (index .root.Values.services .name))) -}}
{{- $_ := set . "v" $v -}}
{{- $_ := set . "fullname" (printf "%s-%s" (include "paymesh.fullname" .root) .name) -}}
{{- end }}

{{/* As whom `helm test` calls the watcher: the first other service of the release that may; empty when there is none. */}}
{{- define "paymesh.testCaller" -}}
{{- $names := include "paymesh.enabled" . | fromJsonArray -}}
{{- if has "watcher" $names -}}{{- with without $names "watcher" -}}{{- first . -}}{{- end -}}{{- end -}}
{{- end }}

{{/* The fewest pods that run: what decides about a PodDisruptionBudget. */}}
{{- define "paymesh.leastReplicas" -}}
{{- if .v.autoscaling.enabled -}}{{ .v.autoscaling.minReplicas }}
{{- else if .v.keda.enabled -}}{{ .v.keda.minReplicaCount }}
{{- else -}}{{ .v.replicaCount }}{{- end -}}
{{- end }}

{{- define "paymesh.chartLabel" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* Labels of an object that belongs to no service; takes (list root component). */}}
{{- define "paymesh.objectLabels" -}}
{{- $root := index . 0 -}}
helm.sh/chart: {{ include "paymesh.chartLabel" $root }}
app.kubernetes.io/name: {{ include "paymesh.appname" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/part-of: paymesh
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{- define "paymesh.labels" -}}
{{- include "paymesh.objectLabels" (list .root .name) -}}
{{- end }}

{{/* Selectors never change between versions: a Deployment's is immutable. Takes (list root component). */}}
{{- define "paymesh.selectorFor" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "paymesh.appname" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "paymesh.selector" -}}
{{- include "paymesh.selectorFor" (list .root .name) -}}
{{- end }}

{{/* An image's reference; takes (dict root image repository). */}}
{{- define "paymesh.imageOf" -}}
{{- $registry := default .root.Values.global.imageRegistry .image.registry -}}
{{- $path := default .repository .image.repository -}}
{{- if $registry }}{{ $path = printf "%s/%s" (trimSuffix "/" $registry) $path }}{{ end -}}
{{- if .image.digest -}}{{ printf "%s@%s" $path .image.digest }}
{{- else -}}{{ printf "%s:%s" $path (default .root.Chart.AppVersion .image.tag) }}{{- end -}}
{{- end }}

{{- define "paymesh.image" -}}
{{- include "paymesh.imageOf" (dict "root" .root "image" .v.image "repository" (printf "paymesh/%s" .name)) -}}
{{- end }}

{{- define "paymesh.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "paymesh.serviceAccount" -}}
{{- default .fullname .v.serviceAccount.name -}}
{{- end }}

{{- define "paymesh.spiffeId" -}}
{{- default (printf "spiffe://%s/ns/%s/sa/%s" .root.Values.global.trustDomain .root.Release.Namespace
    (include "paymesh.serviceAccount" .)) .v.spiffeId -}}
{{- end }}

{{- define "paymesh.serviceHost" -}}
{{- $host := ternary (printf "%s-headless" .fullname) .fullname .v.service.headless.enabled -}}
{{- printf "%s.%s.svc.%s" $host .root.Release.Namespace .root.Values.global.clusterDomain -}}
{{- end }}

{{- define "paymesh.address" -}}
{{- default (printf "dns:///%s:%v" (include "paymesh.serviceHost" .) .root.Values.ports.grpc) .v.address -}}
{{- end }}

{{- define "paymesh.tlsSecret" -}}
{{- default (printf "%s-tls" .fullname) .v.tls.secretName -}}
{{- end }}

{{- define "paymesh.verifiesDatabase" -}}
{{- if has .v.database.sslMode (list "verify-full" "verify-ca") -}}yes{{- end -}}
{{- end }}

{{- define "paymesh.usesKeystore" -}}
{{- if and (eq .name "settlement") (not (hasKey .v.config "signer")) -}}yes{{- end -}}
{{- end }}
