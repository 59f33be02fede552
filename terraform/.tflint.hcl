# For tflint: `tflint --init && tflint --recursive` in this folder. It reads more than this repository's tests do (types of instances,
# names that AWS refuses), and needs its plugins from where they are released, so it is not part of them.

config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "recommended"
}

plugin "aws" {
  enabled = true
  version = "0.43.0"
  source  = "github.com/terraform-linters/tflint-ruleset-aws"
}
