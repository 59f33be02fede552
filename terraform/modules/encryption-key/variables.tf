variable "alias" {
  description = "Alias of the key without its prefix, e.g. paymesh-prod/database."
  type        = string
}

variable "description" {
  description = "What the key encrypts."
  type        = string
}

variable "via_services" {
  description = "AWS services through which the account's principals may use the key, e.g. rds. What they may do there is for their own policies to say."
  type        = set(string)
  default     = []
}

variable "user_role_arns" {
  description = "Roles that may use the key directly."
  type        = list(string)
  default     = []
}

variable "log_group_names" {
  description = "CloudWatch log groups that the key encrypts."
  type        = list(string)
  default     = []
}
