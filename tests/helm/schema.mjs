// Writes helm/paymesh/values.schema.json from the keys and types of values.yaml and from the rules below. Every map is closed, so
// that a misspelt key is refused; `enabled` and `global`, at every depth, are open, because a parent chart shares them: there our own
// keys are checked and others are let through.
// Usage: node tests/helm/schema.mjs [--check]
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {YAML, chart} from './chart.mjs';

const file = join(chart, 'values.schema.json');
const values = YAML.parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
const port = {type: 'integer', minimum: 1, maximum: 65535};
const duration = {type: 'string', pattern: '^[0-9]+(ms|s|m|h)([0-9]+(s|m))?$'};
const strings = {type: 'array', items: {type: 'string'}};
const map = {type: 'object', additionalProperties: {type: 'string'}};
const count = {type: 'integer', minimum: 0};
const intOrString = {type: ['integer', 'string']};
const free = {type: 'object'};
const list = {type: 'array', items: {type: 'object'}};
const cidrs = {type: 'array', items: {type: 'string', pattern: '/[0-9]+$'}};
const name = {type: 'string', pattern: '^$|^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'};
// What the default alone does not tell: enumerations, ranges, and maps and lists of Kubernetes' own shapes.
const rules = {
  'global.imagePullSecrets': strings,
  'global.tls.mode': {enum: ['certManager', 'existingSecret']},
  'global.trustDomain': {type: 'string', pattern: '^[a-z0-9._-]+$'},
  'ports.grpc': port,
  'ports.health': port,
  'ports.metrics': port,
  identities: {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['name', 'role', 'uri'],
      properties: {
        name: {type: 'string', minLength: 1},
        role: {enum: ['edge', 'reader', 'operator', 'finance', 'approver']},
        uri: {type: 'string', pattern: '^spiffe://'},
      },
    },
  },
  'chains.inline': list,
  'certManager.duration': duration,
  'certManager.renewBefore': duration,
  'certManager.issuerRef.kind': {type: 'string', minLength: 1},
  'certManager.extraDnsNames': strings,
  'externalSecrets.secretStoreRef.kind': {enum: ['SecretStore', 'ClusterSecretStore']},
  'externalSecrets.refreshInterval': duration,
  'migration.podAnnotations': map,
  'migration.resources': free,
  'networkPolicy.dnsTo': list,
  'networkPolicy.databaseCidrs': cidrs,
  'networkPolicy.metricsFrom': list,
  'networkPolicy.otelTo': list,
  'networkPolicy.databasePort': port,
  'networkPolicy.otelPort': {anyOf: [port, {const: ''}]},
  'networkPolicy.internet.cidrs': cidrs,
  'networkPolicy.internet.except': cidrs,
  'networkPolicy.internet.ports': {type: 'array', items: port},
  'networkPolicy.podIdentityAgentCidrs': cidrs,
  'networkPolicy.awsEndpointCidrs': cidrs,
  'metrics.serviceMonitor.labels': map,
  'metrics.serviceMonitor.tlsConfig': free,
  'metrics.serviceMonitor.relabelings': list,
  'metrics.serviceMonitor.metricRelabelings': list,
  'metrics.serviceMonitor.scheme': {enum: ['http', 'https']},
  'metrics.prometheusRule.expectedServices': {type: 'array', items: {enum: Object.keys(values.services)}},
  'metrics.prometheusRule.labels': map,
  'metrics.prometheusRule.disabled': {type: 'object', additionalProperties: {type: 'boolean'}},
  'metrics.prometheusRule.alertLabels': map,
  'metrics.prometheusRule.overrides': {type: 'object', additionalProperties: free},
  'metrics.prometheusRule.additionalRules': list,
  'metrics.dashboards.labels': map,
  extraObjects: list,
  'defaults.replicaCount': count,
  'defaults.serviceAccount.annotations': map,
  'defaults.aws.identity.mode': {enum: ['none', 'podIdentity', 'irsa']},
  'defaults.service.type': {enum: ['ClusterIP', 'NodePort', 'LoadBalancer']},
  'defaults.service.annotations': map,
  'defaults.spiffeId': {type: 'string', pattern: '^$|^spiffe://'},
  'defaults.probes.startup': free,
  'defaults.probes.liveness': free,
  'defaults.probes.readiness': free,
  'defaults.deploymentStrategy': free,
  'defaults.podDisruptionBudget.maxUnavailable': intOrString,
  'defaults.podDisruptionBudget.minAvailable': intOrString,
  'defaults.podDisruptionBudget.unhealthyPodEvictionPolicy': {enum: ['AlwaysAllow', 'IfHealthyBudget']},
  'defaults.autoscaling.targetCPUUtilizationPercentage': intOrString,
  'defaults.autoscaling.targetMemoryUtilizationPercentage': intOrString,
  'defaults.autoscaling.metrics': list,
  'defaults.autoscaling.behavior': free,
  'defaults.keda.triggers': list,
  'defaults.topologySpreadConstraints': list,
  'defaults.podSecurityContext': free,
  'defaults.containerSecurityContext': free,
  'defaults.resources': free,
  'defaults.database.poolSize': {type: 'integer', minimum: 1, maximum: 256},
  'defaults.database.secret.format': {enum: ['conninfo', 'serviceFile']},
  'defaults.database.sslMode': {enum: ['verify-full', 'verify-ca', 'require', 'disable']},
  'defaults.externalSecret.data': list,
  'defaults.externalSecret.dataFrom': list,
  'defaults.externalSecret.template': free,
  'defaults.log.level': {enum: ['debug', 'info', 'warn', 'error']},
  'defaults.threads': {type: 'integer', minimum: 1, maximum: 64},
  'defaults.config': free,
  'defaults.networkPolicy.ingressFrom': list,
  'defaults.networkPolicy.extraIngress': list,
  'defaults.networkPolicy.extraEgress': list,
  'defaults.podAnnotations': map,
  'defaults.podLabels': map,
  'defaults.nodeSelector': map,
  'defaults.tolerations': list,
  'defaults.affinity': free,
  'defaults.extraEnv': list,
  'defaults.extraEnvFrom': list,
  'defaults.extraVolumes': list,
  'defaults.extraVolumeMounts': list,
  'defaults.extraContainers': list,
};
for (const key of Object.keys(rules)) if (key.endsWith('secret.name') || key.endsWith('configMap')) rules[key] = name;
const pull = {enum: ['Always', 'IfNotPresent', 'Never']};
function schema(value, path) {
  if (rules[path]) return rules[path];
  if (path.endsWith('pullPolicy')) return pull;
  if (path.endsWith('digest')) return {type: 'string', pattern: '^$|^sha256:[0-9a-f]{64}$'};
  if (Array.isArray(value)) throw Error(`list at ${path}`);
  if (value !== null && typeof value === 'object') {
    if (!Object.keys(value).length) throw Error(`map at ${path}`);
    return {
      type: 'object',
      additionalProperties: /^global(\.|$)/.test(path),
      properties: Object.fromEntries(Object.entries(value).map(([k, v]) => [k, schema(v, path ? `${path}.${k}` : k)])),
    };
  }
  if (typeof value === 'number') return {type: 'integer', minimum: 0};
  return {type: typeof value};
}
const {services, ...rest} = values;
const root = schema(rest, '');
const perService = (extra) => ({
  type: 'object',
  additionalProperties: false,
  properties: {
    enabled: {type: 'boolean'},
    ...Object.fromEntries(
      Object.keys(values.defaults).map((k) => [k, {$ref: `#/properties/defaults/properties/${k}`}]),
    ),
    ...extra,
  },
});
const signer = schema({signer: services.settlement.signer}, 'services.settlement').properties;
const noInternet = {internetEgress: {const: false}};
root.properties.services = {
  type: 'object',
  additionalProperties: false,
  properties: {
    checkout: perService({}),
    routing: perService(noInternet),
    watcher: perService({}),
    settlement: perService({...noInternet, ...signer}),
  },
};
root.properties.defaults.properties.internetEgress = {const: false};
for (const n of ['checkout', 'watcher'])
  root.properties.services.properties[n].properties.internetEgress = {type: 'boolean'};
root.properties.enabled = {type: 'boolean', description: "For a parent chart's condition."};
const text = `${JSON.stringify({$schema: 'http://json-schema.org/draft-07/schema#', title: 'paymesh', ...root}, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('helm/paymesh/values.schema.json is out of date: run node tests/helm/schema.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
}
