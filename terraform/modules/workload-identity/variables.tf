variable "name" {
  description = "Name of the environment's objects, first part of the roles' names."
  type        = string
}

variable "cluster_name" {
  description = "The cluster whose pods take the roles."
  type        = string
}

variable "mode" {
  description = "How pods take their role: pod_identity, or irsa for clusters without the Pod Identity agent."
  type        = string
  default     = "pod_identity"

  validation {
    condition     = contains(["pod_identity", "irsa"], var.mode)
    error_message = "The mode is pod_identity or irsa."
  }
}

variable "oidc_provider_arn" {
  description = "The cluster's OIDC provider, for irsa."
  type        = string
  default     = null

  validation {
    condition     = var.mode == "pod_identity" || var.oidc_provider_arn != null
    error_message = "Roles by web identity need the cluster's OIDC provider (enable_irsa of the cluster)."
  }
}

variable "oidc_issuer" {
  description = "The cluster's OIDC issuer without https://, for irsa."
  type        = string
  default     = null
}

variable "workloads" {
  description = "Service accounts by workload, and what each may do. Without statements the role's rights come from policies of resources alone, like a key's."
  type = map(object({
    namespace       = string
    service_account = string
    statements = optional(list(object({
      sid       = string
      actions   = list(string)
      resources = list(string)
      conditions = optional(list(object({
        test     = string
        variable = string
        values   = list(string)
      })), [])
    })), [])
  }))

  validation {
    condition = alltrue(flatten([
      for workload in var.workloads : [
        for statement in workload.statements : [
          alltrue([for action in statement.actions : !strcontains(action, "*")]),
          alltrue([for resource in statement.resources : resource != "*"]),
        ]
      ]
    ]))
    error_message = "Rights name their actions and resources one by one; no wildcard actions, no resource \"*\"."
  }
}
