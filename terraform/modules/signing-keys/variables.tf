variable "name" {
  description = "Name of the environment's objects, first part of the keys' aliases."
  type        = string
}

variable "signers" {
  description = "Wallets by name, each with what it is for. One key serves every EVM chain, with the same address on each."
  type        = map(string)
  default     = { operator = "Operator wallet of settlement: payouts, sweeps and deposit contracts" }

  validation {
    condition     = length(var.signers) > 0
    error_message = "At least one wallet is needed."
  }
}

variable "signer_role_arn" {
  description = "Settlement's role, the only one that may use the keys."
  type        = string
}

variable "administrator_role_arns" {
  description = "Roles that administer the keys and cannot use them; the one that applies this must be among them, or KMS refuses the policy."
  type        = list(string)

  validation {
    condition     = length(var.administrator_role_arns) > 0 && !contains(var.administrator_role_arns, "*")
    error_message = "Name at least one administrator role, and never everybody."
  }
}

variable "alarm_topic_arn" {
  description = "SNS topic of the people who are told when a key is tampered with. Its policy must let events.amazonaws.com publish."
  type        = string
}
