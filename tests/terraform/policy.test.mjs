// What the infrastructure must be, whoever edits it: encrypted, closed, undeletable in production, least rights.
import assert from 'node:assert/strict';
import test from 'node:test';
import {asList, blocks, environments, loadAll, statements} from './hcl.mjs';

const modules = await loadAll();
const named = (folder) => modules.find((module) => module.folder === folder);
const all = (type) => blocks(modules, 'resource', type);
const only = (type) => {
  const found = all(type);
  assert.equal(found.length, 1, `one ${type} was expected`);
  return found[0].body;
};
const call = (environment, name) => named(`environments/${environment}`).module[name][0];

test('everything at rest is encrypted with a key of ours', () => {
  const database = only('aws_rds_cluster');
  assert.equal(database.storage_encrypted, true);
  assert.equal(database.kms_key_id, '${module.key.key_arn}');
  assert.equal(database.master_user_secret_kms_key_id, '${module.key.key_arn}');
  assert.equal(only('aws_rds_cluster_instance').performance_insights_kms_key_id, '${module.key.key_arn}');
  const [cluster] = only('aws_eks_cluster').encryption_config;
  assert.deepEqual(cluster, {provider: [{key_arn: '${module.key.key_arn}'}], resources: ['secrets']});
  assert.equal(only('aws_ecr_repository').encryption_configuration[0].encryption_type, 'KMS');
  assert.equal(only('aws_launch_template').block_device_mappings[0].ebs[0].encrypted, true);
  assert.match(only('aws_secretsmanager_secret').kms_key_id, /key_arn/);
  const groups = all('aws_cloudwatch_log_group');
  assert.ok(groups.length >= 3);
  for (const {body, where} of groups) {
    assert.match(body.kms_key_id ?? '', /key_arn/, `${where} is not encrypted`);
    assert.ok(body.retention_in_days, `${where} is kept for ever`);
  }
  const [rule] = only('aws_s3_bucket_server_side_encryption_configuration').rule;
  assert.equal(rule.apply_server_side_encryption_by_default[0].sse_algorithm, 'aws:kms');
});

test('symmetric keys rotate, and no key is gone in less than 30 days', () => {
  for (const {body, where} of all('aws_kms_key')) {
    assert.equal(body.deletion_window_in_days, 30, where);
    assert.ok(body.policy, `${where} has the default policy, which gives its use to IAM`);
    if (body.key_usage === 'ENCRYPT_DECRYPT') assert.equal(body.enable_key_rotation, true, where);
  }
});

test('production has no public endpoint', () => {
  assert.deepEqual(call('prod', 'cluster').public_access_cidrs, []);
  const [network] = only('aws_eks_cluster').vpc_config;
  assert.equal(network.endpoint_private_access, true);
  assert.equal(network.endpoint_public_access, '${length(var.public_access_cidrs) > 0}');
  const [variable] = named('modules/cluster').variable.public_access_cidrs;
  assert.deepEqual(variable.default, [], 'closed unless somebody says otherwise');
  assert.match(JSON.stringify(variable.validation), /0\.0\.0\.0\/0/, 'the whole internet is refused');
  assert.equal(only('aws_rds_cluster_instance').publicly_accessible, false);
  for (const {body, where} of all('aws_subnet')) assert.notEqual(body.map_public_ip_on_launch, true, where);
});

test('nothing lets the internet in, and no group has rules of its own body', () => {
  for (const {body, where} of all('aws_vpc_security_group_ingress_rule')) {
    assert.ok(
      body.referenced_security_group_id || body.cidr_ipv4 === '${each.value}',
      `${where} lets in ${body.cidr_ipv4}`,
    );
    assert.equal(body.ip_protocol, 'tcp', where);
    assert.equal(body.from_port, body.to_port, where);
    assert.ok(body.description, where);
  }
  for (const {body, where} of [...all('aws_security_group'), ...all('aws_default_security_group')]) {
    assert.equal(body.ingress, undefined, where);
    assert.equal(body.egress, undefined, where);
  }
  assert.deepEqual(all('aws_vpc_security_group_egress_rule'), [], 'neither database nor endpoints call anybody');
});

test('databases and endpoints have no way to the internet', () => {
  for (const {body, where} of all('aws_route')) {
    assert.doesNotMatch(body.route_table_id, /isolated/, where);
  }
  for (const name of ['database', 'endpoint']) {
    const [association] = named('modules/network').resource.aws_route_table_association[name];
    assert.equal(association.route_table_id, '${aws_route_table.isolated.id}');
  }
});

test('the database forces TLS, keeps 35 days, has two readers and cannot be deleted in production', () => {
  const parameters = new Map(only('aws_rds_cluster_parameter_group').parameter.map(({name, value}) => [name, value]));
  assert.equal(parameters.get('rds.force_ssl'), '1');
  assert.equal(parameters.get('ssl_min_protocol_version'), 'TLSv1.2');
  assert.equal(parameters.get('rds.logical_replication'), '0');
  const cluster = only('aws_rds_cluster');
  assert.equal(cluster.db_cluster_parameter_group_name, '${aws_rds_cluster_parameter_group.this.name}');
  assert.equal(cluster.skip_final_snapshot, false);
  assert.equal(cluster.delete_automated_backups, false);
  assert.equal(cluster.manage_master_user_password, true);
  assert.equal(cluster.master_password, undefined);
  assert.deepEqual(cluster.enabled_cloudwatch_logs_exports, ['postgresql']);
  const production = call('prod', 'database');
  assert.equal(production.backup_retention_days, 35);
  assert.equal(production.reader_count, 2);
  assert.equal(production.deletion_protection, true);
  assert.equal(production.subnet_ids, '${module.network.database_subnet_ids}');
  const {
    deletion_protection: [protection],
    backup_retention_days: [backups],
  } = named('modules/database').variable;
  assert.equal(protection.default, true);
  assert.equal(backups.default, 35);
});

test("the database's instances take the zones of its subnets in turn, so no reader is where the writer is", () => {
  const instance = only('aws_rds_cluster_instance');
  assert.equal(instance.availability_zone, '${var.availability_zones[each.value % length(var.availability_zones)]}');
  assert.equal(instance.for_each, '${local.instances}');
  assert.match(
    JSON.stringify(named('modules/database').variable.availability_zones[0].validation),
    /distinct\(var\.availability_zones\)\) >= 3/,
  );
  for (const environment of environments) {
    const [network, database] = ['network', 'database'].map((name) => call(environment, name).availability_zones);
    assert.equal(database, network, `${environment}: the subnets' zones`);
  }
});

test('no password goes through a state file', () => {
  assert.deepEqual(all('aws_secretsmanager_secret_version'), []);
  assert.deepEqual(all('random_password'), []);
});

test('the cluster is protected, audited, and has the agents that the chart counts on', () => {
  const cluster = only('aws_eks_cluster');
  assert.equal(call('prod', 'cluster').deletion_protection, true);
  assert.equal(named('modules/cluster').variable.deletion_protection[0].default, true);
  assert.deepEqual(cluster.access_config, [
    {authentication_mode: 'API', bootstrap_cluster_creator_admin_permissions: false},
  ]);
  assert.deepEqual([...cluster.enabled_cluster_log_types].sort(), [
    'api',
    'audit',
    'authenticator',
    'controllerManager',
    'scheduler',
  ]);
  const locals = Object.assign({}, ...named('modules/cluster').locals);
  assert.equal(locals.vpc_cni_configuration.enableNetworkPolicy, 'true', 'NetworkPolicy objects would be decoration');
  const addons = named('modules/cluster').resource.aws_eks_addon;
  assert.equal(addons.vpc_cni[0].configuration_values, '${jsonencode(local.vpc_cni_configuration)}');
  assert.match(addons.before_nodes[0].for_each, /eks-pod-identity-agent/);
  for (const [addon] of Object.values(addons))
    assert.match(addon.addon_version, /^\$\{var\.addon_versions\[/, 'pinned');
  const [metadata] = only('aws_launch_template').metadata_options;
  assert.equal(metadata.http_tokens, 'required');
  assert.equal(metadata.http_put_response_hop_limit, 1, "a pod would have its node's rights");
});

test('three zones, and in production a gateway in each', () => {
  assert.match(JSON.stringify(named('modules/network').variable.availability_zones[0].validation), /== 3/);
  assert.equal(call('prod', 'network').single_nat_gateway, false);
  assert.ok(call('prod', 'cluster').node_count.min >= 3);
});

test('images are immutable, scanned and never deleted with their repository', () => {
  const repository = only('aws_ecr_repository');
  assert.equal(repository.image_tag_mutability, 'IMMUTABLE');
  assert.equal(repository.image_tag_mutability_exclusion_filter, undefined);
  assert.equal(repository.force_delete, false);
  assert.equal(repository.image_scanning_configuration[0].scan_on_push, true);
});

test('signing keys are secp256k1 and survive every destroy', () => {
  const [key] = named('modules/signing-keys').resource.aws_kms_key.this;
  assert.equal(key.customer_master_key_spec, 'ECC_SECG_P256K1');
  assert.equal(key.key_usage, 'SIGN_VERIFY');
  assert.equal(key.lifecycle[0].prevent_destroy, true);
  assert.equal(key.bypass_policy_lockout_safety_check, false);
  for (const environment of environments) {
    assert.equal(
      call(environment, 'signing_keys').signer_role_arn,
      '${module.workload_identity.role_arns["settlement"]}',
    );
  }
});

test('only settlement signs, only digests, and no grant or administrator gets around that', () => {
  const policy = statements(named('modules/signing-keys').data.aws_iam_policy_document.key[0]);
  const signing = policy.filter(({actions}) => asList(actions).includes('kms:Sign'));
  assert.equal(signing.length, 2, 'one statement allows, one refuses');
  const allow = signing.find(({effect}) => effect === 'Allow');
  assert.deepEqual(allow.actions, ['kms:Sign']);
  assert.deepEqual(allow.principals, [{type: 'AWS', identifiers: ['${var.signer_role_arn}']}]);
  assert.deepEqual(allow.condition, [
    {test: 'StringEquals', variable: 'kms:SigningAlgorithm', values: ['ECDSA_SHA_256']},
    {test: 'StringEquals', variable: 'kms:MessageType', values: ['DIGEST']},
  ]);
  const deny = signing.find(({effect}) => effect === 'Deny');
  assert.deepEqual([...deny.actions].sort(), ['kms:CreateGrant', 'kms:Sign']);
  assert.deepEqual(deny.principals, [{type: 'AWS', identifiers: ['*']}]);
  assert.deepEqual(deny.condition, [
    {test: 'ArnNotEquals', variable: 'aws:PrincipalArn', values: ['${var.signer_role_arn}']},
  ]);
  const [locals] = named('modules/signing-keys').locals;
  for (const action of ['kms:Sign', 'kms:CreateGrant', 'kms:DeriveSharedSecret'])
    assert.ok(!locals.administration.includes(action), action);
  // The root of the account, where a policy names it, would hand the use to IAM: here it is the person alone.
  const root = policy.filter(({principals}) => JSON.stringify(principals).includes('root_arn'));
  assert.equal(root.length, 1);
  assert.deepEqual(root[0].condition, [{test: 'StringEquals', variable: 'aws:PrincipalType', values: ['Account']}]);
  // And nowhere else in the tree does anything give kms:Sign, but the endpoint, which only narrows.
  for (const {body, where, module} of blocks(modules, 'data', 'aws_iam_policy_document')) {
    if (module.folder === 'modules/signing-keys' || where.endsWith('kms_endpoint')) continue;
    assert.doesNotMatch(JSON.stringify(body), /kms:Sign\b/, where);
  }
  for (const environment of environments)
    assert.doesNotMatch(JSON.stringify(call(environment, 'workload_identity')), /kms:Sign\b/);
});

// Where "*" may stand, and why.
const anyResource = new Map([
  ['modules/encryption-key: aws_iam_policy_document.key', 'in a key\'s policy "*" is the key'],
  ['modules/signing-keys: aws_iam_policy_document.key', 'in a key\'s policy "*" is the key'],
]);

test('no policy that allows has a wildcard action, a wildcard resource or everybody, but where it is said why', () => {
  const documents = blocks(modules, 'data', 'aws_iam_policy_document');
  assert.ok(documents.length > 8);
  for (const {body, where} of documents) {
    for (const statement of statements(body).filter(({effect}) => effect !== 'Deny')) {
      assert.equal(statement.not_actions, undefined, where);
      assert.equal(statement.not_resources, undefined, where);
      for (const action of asList(statement.actions)) {
        if (action.startsWith('${')) assert.doesNotMatch(action, /[a-z]:\w*\*/, `${where}: ${action}`);
        else assert.doesNotMatch(action, /\*/, `${where}: ${action}`);
      }
      for (const resource of asList(statement.resources)) {
        if (resource === '*') assert.ok(anyResource.has(where), `${where}: every resource`);
      }
      for (const principal of asList(statement.principals)) {
        if (asList(principal.identifiers).includes('*')) {
          assert.ok(
            asList(statement.condition).some(({variable}) => variable === 'aws:PrincipalAccount'),
            `${where}: everybody`,
          );
        }
      }
    }
  }
  // Actions may come from locals; a wildcard would hide there.
  for (const module of modules)
    assert.doesNotMatch(JSON.stringify(module.locals), /"[a-z0-9-]+:\w*\*"/, `${module.folder}: locals`);
});

test('what is given to workloads names its actions and resources', () => {
  const [variable] = named('modules/workload-identity').variable.workloads;
  assert.match(variable.validation[0].condition, /strcontains\(action, \\?"\*\\?"\)/);
  for (const environment of environments) {
    const {workloads} = call(environment, 'workload_identity');
    assert.deepEqual(
      Object.keys(workloads).sort(),
      ['external-secrets', 'settlement'],
      'the other services need nothing from AWS',
    );
    assert.equal(workloads.settlement.statements, undefined);
    for (const statement of workloads['external-secrets'].statements) {
      for (const action of statement.actions) assert.doesNotMatch(action, /\*/);
      assert.notDeepEqual(statement.resources, ['*']);
    }
  }
});

test('a role is for exactly one service account', () => {
  const {
    pod_identity_trust: [pod],
    irsa_trust: [web],
  } = named('modules/workload-identity').data.aws_iam_policy_document;
  const tied = (document) => document.statement[0].condition.map(({test: how, variable}) => `${how} ${variable}`);
  for (const key of ['eks-cluster-name', 'kubernetes-namespace', 'kubernetes-service-account']) {
    assert.ok(tied(pod).includes(`StringEquals aws:RequestTag/${key}`), key);
  }
  for (const key of ['sub', 'aud']) assert.ok(tied(web).includes(`StringEquals \${var.oidc_issuer}:${key}`), key);
});

test('roles of services are given with the account that asks, so that nobody is confused into using them', () => {
  const exempt = ['ec2.amazonaws.com', 'monitoring.rds.amazonaws.com'];
  for (const {body, where} of blocks(modules, 'data', 'aws_iam_policy_document')) {
    for (const {actions, principals, condition} of statements(body)) {
      if (!asList(actions).includes('sts:AssumeRole') || exempt.includes(principals[0].identifiers[0])) continue;
      assert.ok(
        asList(condition).some(({variable}) => variable === 'aws:SourceAccount'),
        where,
      );
    }
  }
});

test('the state is locked, encrypted, versioned, private, and never deleted', () => {
  const keys = environments.map((environment) => {
    const backend = named(`environments/${environment}`).terraform[0].backend.s3[0];
    assert.equal(backend.use_lockfile, true);
    assert.equal(backend.encrypt, true);
    assert.equal(backend.dynamodb_table, undefined);
    return backend.key;
  });
  assert.equal(new Set(keys).size, environments.length, 'each environment has its own state');
  assert.equal(only('aws_s3_bucket_versioning').versioning_configuration[0].status, 'Enabled');
  const access = only('aws_s3_bucket_public_access_block');
  for (const key of ['block_public_acls', 'block_public_policy', 'ignore_public_acls', 'restrict_public_buckets'])
    assert.equal(access[key], true, key);
  const bucket = only('aws_s3_bucket');
  assert.equal(bucket.force_destroy, false);
  assert.equal(bucket.lifecycle[0].prevent_destroy, true);
  assert.match(JSON.stringify(named('bootstrap').data.aws_iam_policy_document), /aws:SecureTransport/);
});

test('an environment is applied to its own account alone', () => {
  for (const environment of environments) {
    const [provider] = named(`environments/${environment}`).provider.aws;
    assert.deepEqual(provider.allowed_account_ids, ['${var.account_id}']);
    assert.ok(provider.default_tags[0].tags.environment);
  }
});

test('development differs from production in size alone', () => {
  const [dev, prod] = environments.map((environment) => named(`environments/${environment}`));
  assert.deepEqual(Object.keys(dev.module).sort(), Object.keys(prod.module).sort());
  assert.deepEqual(dev.module.workload_identity, prod.module.workload_identity);
  assert.deepEqual(dev.module.signing_keys, prod.module.signing_keys);
});
