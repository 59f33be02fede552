# One role a workload, given to exactly one service account of one namespace, with exactly the listed rights.

data "aws_caller_identity" "current" {}

# Pod Identity: the agent's service assumes the role, for this cluster, this namespace and this account alone.
data "aws_iam_policy_document" "pod_identity_trust" {
  for_each = var.mode == "pod_identity" ? var.workloads : {}

  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/eks-cluster-name"
      values   = [var.cluster_name]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [each.value.namespace]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [each.value.service_account]
    }
  }
}

# IRSA: whoever holds a token of exactly this service account.
data "aws_iam_policy_document" "irsa_trust" {
  for_each = var.mode == "irsa" ? var.workloads : {}

  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.oidc_issuer}:sub"
      values   = ["system:serviceaccount:${each.value.namespace}:${each.value.service_account}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${var.oidc_issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = var.workloads

  name                 = "${var.name}-${each.key}"
  description          = "Pods of ${each.value.namespace}/${each.value.service_account}"
  max_session_duration = 3600
  assume_role_policy = (var.mode == "pod_identity"
    ? data.aws_iam_policy_document.pod_identity_trust[each.key].json
  : data.aws_iam_policy_document.irsa_trust[each.key].json)
}

data "aws_iam_policy_document" "rights" {
  for_each = { for name, workload in var.workloads : name => workload if length(workload.statements) > 0 }

  dynamic "statement" {
    for_each = each.value.statements

    content {
      sid       = statement.value.sid
      effect    = "Allow"
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = data.aws_iam_policy_document.rights

  name   = "rights"
  role   = aws_iam_role.this[each.key].id
  policy = each.value.json
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = var.mode == "pod_identity" ? var.workloads : {}

  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.this[each.key].arn
}
