# Keys that sign transactions. The key's own policy is the only place that gives their use, to settlement's role
# alone; the account's IAM policies have no say in it, so no administrator can hand the use on by a policy of his.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  root_arn = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"

  # What an administrator does to a key, none of which signs.
  administration = [
    "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey", "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus", "kms:GetPublicKey", "kms:ListKeyPolicies", "kms:ListResourceTags", "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
  ]
}

# In a key's policy the resource "*" is the key itself.
data "aws_iam_policy_document" "key" {
  statement {
    sid       = "AdministratorsWithoutUse"
    effect    = "Allow"
    actions   = local.administration
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = var.administrator_role_arns
    }
  }

  # The way back when every administrator role is gone: the root user in person, not the account's IAM policies.
  statement {
    sid       = "RootUserRescues"
    effect    = "Allow"
    actions   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [local.root_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalType"
      values   = ["Account"]
    }
  }

  statement {
    sid       = "SettlementSignsDigests"
    effect    = "Allow"
    actions   = ["kms:Sign"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [var.signer_role_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:SigningAlgorithm"
      values   = ["ECDSA_SHA_256"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:MessageType"
      values   = ["DIGEST"]
    }
  }

  # Without the conditions above: a request for the public key carries neither.
  statement {
    sid       = "SettlementLearnsItsAddress"
    effect    = "Allow"
    actions   = ["kms:GetPublicKey"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [var.signer_role_arn]
    }
  }

  statement {
    sid       = "NobodyElseSigns"
    effect    = "Deny"
    actions   = ["kms:Sign", "kms:CreateGrant"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [var.signer_role_arn]
    }
  }
}

resource "aws_kms_key" "this" {
  for_each = var.signers

  description                        = each.value
  customer_master_key_spec           = "ECC_SECG_P256K1"
  key_usage                          = "SIGN_VERIFY"
  enable_key_rotation                = false # KMS rotates no asymmetric key; a new key is a new wallet.
  deletion_window_in_days            = 30
  bypass_policy_lockout_safety_check = false
  policy                             = data.aws_iam_policy_document.key.json

  # A wallet whose key is gone is money that is gone.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "this" {
  for_each = var.signers

  name          = "alias/${var.name}/signing/${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}

# Whatever could take a key away or give it to somebody is told at once. CloudTrail delivers these events where a
# trail exists.
resource "aws_cloudwatch_event_rule" "tampering" {
  name        = "${var.name}-signing-key-tampering"
  description = "A signing key is disabled, deleted, re-aliased or gets another policy"
  event_pattern = jsonencode({
    source      = ["aws.kms"]
    detail-type = ["AWS API Call via CloudTrail"]
    detail = {
      eventSource = ["kms.amazonaws.com"]
      eventName   = ["DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy", "CreateGrant", "UpdateAlias", "DeleteAlias"]
      resources   = { ARN = [for key in aws_kms_key.this : key.arn] }
    }
  })
}

resource "aws_cloudwatch_event_target" "tampering" {
  rule      = aws_cloudwatch_event_rule.tampering.name
  target_id = "security"
  arn       = var.alarm_topic_arn
}
