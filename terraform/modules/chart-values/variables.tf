variable "environment" {
  description = "Name of the environment, in logs and traces."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "production" {
  description = "Switch off what is for development: gRPC reflection."
  type        = bool
}

variable "registry_host" {
  description = "Host of the image registry."
  type        = string
}

variable "database_host" {
  description = "The database's writer."
  type        = string
}

variable "database_cidrs" {
  description = "Address ranges of the database."
  type        = list(string)
}

variable "endpoint_cidrs" {
  description = "Address ranges of AWS endpoints in the VPC."
  type        = list(string)
}

variable "nat_addresses" {
  description = "Addresses that the mesh comes from on the internet."
  type        = list(string)
}

variable "secret_store" {
  description = "Name of the ClusterSecretStore that reads AWS Secrets Manager."
  type        = string
  default     = "aws-secrets-manager"
}

variable "service_secret_names" {
  description = "Name of each service's secret in Secrets Manager."
  type        = map(string)

  validation {
    condition     = toset(keys(var.service_secret_names)) == toset(["checkout", "routing", "settlement", "watcher"])
    error_message = "Each of the four services needs its secret."
  }
}

variable "identity_mode" {
  description = "How pods take their role: pod_identity or irsa."
  type        = string

  validation {
    condition     = contains(["pod_identity", "irsa"], var.identity_mode)
    error_message = "The mode is pod_identity or irsa."
  }
}

variable "settlement_role_arn" {
  description = "Settlement's role."
  type        = string
}

variable "operator_key_arn" {
  description = "Key of the operator wallet."
  type        = string
}
