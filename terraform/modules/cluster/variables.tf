variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "kubernetes_version" {
  description = "Version of Kubernetes, e.g. 1.34. The chart needs 1.30 or newer."
  type        = string

  validation {
    condition     = can(regex("^1\\.[0-9]+$", var.kubernetes_version))
    error_message = "The version is written 1.NN."
  }
}

variable "subnet_ids" {
  description = "Private subnets of the control plane's interfaces and of nodes, one a zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 3
    error_message = "A subnet in each of three zones is needed."
  }
}

variable "public_access_cidrs" {
  description = "Networks that may reach the API server over the internet. Empty: it has a private endpoint alone."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.public_access_cidrs, "0.0.0.0/0") && !contains(var.public_access_cidrs, "::/0")
    error_message = "The whole internet is no network to open the API server to."
  }
}

variable "api_client_cidrs" {
  description = "Private networks that reach the API server's private endpoint: a VPN, a peered network, a subnet with CloudShell."
  type        = set(string)
  default     = []

  validation {
    condition     = !contains(var.api_client_cidrs, "0.0.0.0/0")
    error_message = "Name networks, not everything."
  }
}

variable "admin_principal_arns" {
  description = "Roles that administer the cluster. The one that applies this is not among them by itself."
  type        = set(string)

  validation {
    condition     = length(var.admin_principal_arns) > 0
    error_message = "Without an administrator nobody can install anything into the cluster."
  }
}

variable "addon_versions" {
  description = "Version of each add-on: vpc-cni, eks-pod-identity-agent, kube-proxy, coredns, metrics-server (aws eks describe-addon-versions)."
  type        = map(string)

  validation {
    condition = alltrue([
      for name in ["vpc-cni", "eks-pod-identity-agent", "kube-proxy", "coredns", "metrics-server"] :
      can(regex("^v[0-9]", var.addon_versions[name]))
    ])
    error_message = "Every add-on needs its version, like v1.20.4-eksbuild.1."
  }
}

variable "node_instance_types" {
  description = "Instance types of nodes (x86-64)."
  type        = list(string)
  default     = ["m7i.large"]
}

variable "node_count" {
  description = "Least and most nodes. Three are the least: one a zone."
  type = object({
    min = number
    max = number
  })
  default = { min = 3, max = 9 }

  validation {
    condition     = var.node_count.min >= 3 && var.node_count.max >= var.node_count.min
    error_message = "At least three nodes, and no fewer at most than at least."
  }
}

variable "node_disk_gib" {
  description = "Disk of a node, in GiB."
  type        = number
  default     = 50
}

variable "log_retention_days" {
  description = "Days for which control-plane logs, the audit log among them, are kept."
  type        = number
  default     = 365
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster."
  type        = bool
  default     = true
}

variable "enable_irsa" {
  description = "Make the cluster's OIDC provider, for roles by web identity. Pod Identity needs none."
  type        = bool
  default     = false
}
