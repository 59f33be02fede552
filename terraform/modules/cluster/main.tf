# EKS with what the chart counts on: Pod Identity, the network-policy agent, nodes in three zones. Nothing inside
# the cluster is made here: a provider configured from a cluster that does not exist yet cannot plan.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  log_group      = "/aws/eks/${var.name}/cluster"
  managed_policy = "arn:${data.aws_partition.current.partition}:iam::aws:policy"

  # Without the agent, NetworkPolicy objects are accepted and do nothing.
  vpc_cni_configuration = {
    enableNetworkPolicy = "true"
    env                 = { ENABLE_PREFIX_DELEGATION = "true" }
  }
}

module "key" {
  source = "../encryption-key"

  alias           = "${var.name}/cluster"
  description     = "Kubernetes secrets and control-plane logs of ${var.name}"
  user_role_arns  = [aws_iam_role.cluster.arn]
  log_group_names = [local.log_group]
}

# Made before the cluster, which would otherwise make one that is neither encrypted nor ever deleted.
resource "aws_cloudwatch_log_group" "cluster" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = module.key.key_arn
}

resource "aws_eks_cluster" "this" {
  name                          = var.name
  version                       = var.kubernetes_version
  role_arn                      = aws_iam_role.cluster.arn
  bootstrap_self_managed_addons = false
  deletion_protection           = var.deletion_protection
  enabled_cluster_log_types     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = module.key.key_arn
    }
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_access_cidrs) > 0
    public_access_cidrs     = length(var.public_access_cidrs) > 0 ? var.public_access_cidrs : null
  }

  upgrade_policy {
    support_type = "STANDARD"
  }

  depends_on = [
    aws_cloudwatch_log_group.cluster,
    aws_iam_role_policy.cluster_key,
    aws_iam_role_policy_attachment.cluster,
  ]
}

# Pods and nodes reach the private endpoint by being in its group; people come from their own networks.
resource "aws_vpc_security_group_ingress_rule" "api_clients" {
  for_each = var.api_client_cidrs

  security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  description       = "Kubernetes API from ${each.key}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# People's and pipelines' way into the cluster; nobody has one by having made it.
resource "aws_eks_access_entry" "admin" {
  for_each = var.admin_principal_arns

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.value
}

resource "aws_eks_access_policy_association" "admin" {
  for_each = var.admin_principal_arns

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.admin[each.key].principal_arn
  policy_arn    = "arn:${data.aws_partition.current.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}

# For clusters whose pods take credentials by web identity instead of the Pod Identity agent.
resource "aws_iam_openid_connect_provider" "this" {
  count = var.enable_irsa ? 1 : 0

  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}
