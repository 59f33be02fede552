output "name" {
  description = "Name of the cluster, for aws eks update-kubeconfig."
  value       = aws_eks_cluster.this.name
}

output "endpoint" {
  description = "Address of the API server."
  value       = aws_eks_cluster.this.endpoint
}

output "security_group_id" {
  description = "Group of nodes and pods: what the database lets in."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "oidc_provider_arn" {
  description = "The cluster's OIDC provider; null without enable_irsa."
  value       = one(aws_iam_openid_connect_provider.this[*].arn)
}

output "oidc_issuer" {
  description = "The cluster's OIDC issuer without its scheme, as it stands in trust policies."
  value       = trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")
}
