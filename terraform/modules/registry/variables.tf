variable "name" {
  description = "Name of the environment's objects."
  type        = string
}

variable "prefix" {
  description = "First part of the repositories' names. The chart expects paymesh."
  type        = string
  default     = "paymesh"
}

variable "repositories" {
  description = "Images: the services and the tool that helm test runs."
  type        = set(string)
  default     = ["checkout", "routing", "watcher", "settlement", "payctl"]
}

variable "kept_images" {
  description = "Images kept in a repository. Never fewer than the releases between which anybody rolls back."
  type        = number
  default     = 30

  validation {
    condition     = var.kept_images >= 10
    error_message = "Keep at least 10 images."
  }
}
