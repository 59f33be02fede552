variable "account_id" {
  description = "The AWS account, so that nothing is ever applied to another one. One account an environment."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "availability_zones" {
  description = "Three zones of the region."
  type        = list(string)
}

variable "cidr" {
  description = "Address range of the VPC, a /16."
  type        = string
}

variable "kubernetes_version" {
  description = "Version of Kubernetes."
  type        = string
}

variable "addon_versions" {
  description = "Versions of the cluster's add-ons."
  type        = map(string)
}

variable "cluster_admin_arns" {
  description = "Roles that administer the cluster."
  type        = set(string)
}

variable "key_administrator_arns" {
  description = "Roles that administer the signing keys and cannot sign; the applying one is among them."
  type        = list(string)
}

variable "alarm_topic_arn" {
  description = "SNS topic that hears of any tampering with signing keys."
  type        = string
}

variable "identity_mode" {
  description = "How pods take their role: pod_identity or irsa."
  type        = string
  default     = "pod_identity"
}

variable "settlement_service_account" {
  description = "Settlement's service account: <release>-settlement where the release is not called paymesh."
  type        = string
  default     = "paymesh-settlement"
}

variable "public_access_cidrs" {
  description = "Networks from which the API server may be reached: the office, the VPN. Empty: from within the VPC alone."
  type        = list(string)
  default     = []
}

variable "api_client_cidrs" {
  description = "Private networks from which people reach the cluster's API server."
  type        = set(string)
  default     = []
}
