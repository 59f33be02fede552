output "vpc_id" {
  description = "The VPC of the environment."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Subnets of nodes and pods, one a zone."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]
}

output "public_subnet_ids" {
  description = "Subnets of load balancers that face the internet, one a zone."
  value       = [for zone in var.availability_zones : aws_subnet.public[zone].id]
}

output "database_subnet_ids" {
  description = "Subnets of databases, one a zone, without a route out."
  value       = [for zone in var.availability_zones : aws_subnet.database[zone].id]
}

output "database_cidrs" {
  description = "Address ranges of the databases: the chart's networkPolicy.databaseCidrs."
  value       = [for zone in var.availability_zones : local.database_cidrs[zone]]
}

output "endpoint_cidrs" {
  description = "Address ranges of the AWS endpoints: the chart's networkPolicy.awsEndpointCidrs."
  value       = [for zone in var.availability_zones : local.endpoint_cidrs[zone]]
}

output "nat_addresses" {
  description = "Addresses that the mesh comes from on the internet, for allow-lists of chain providers and merchants."
  value       = [for zone in sort(keys(local.nat_zones)) : aws_eip.nat[zone].public_ip]
}
