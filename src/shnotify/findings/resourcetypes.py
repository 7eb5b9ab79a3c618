"""Resource types in both spellings: ASFF's (the members of its ResourceDetails) and
CloudFormation's, which OCSF uses.

Only pairs that name the same thing for sure; types without a CloudFormation counterpart (such as
AwsEcrContainerImage) are left out.
"""

from __future__ import annotations

_PAIRS = """
AwsAutoScalingAutoScalingGroup AWS::AutoScaling::AutoScalingGroup
AwsCodeBuildProject AWS::CodeBuild::Project
AwsCloudFrontDistribution AWS::CloudFront::Distribution
AwsEc2Instance AWS::EC2::Instance
AwsEc2NetworkInterface AWS::EC2::NetworkInterface
AwsEc2SecurityGroup AWS::EC2::SecurityGroup
AwsEc2Volume AWS::EC2::Volume
AwsEc2Vpc AWS::EC2::VPC
AwsEc2Eip AWS::EC2::EIP
AwsEc2Subnet AWS::EC2::Subnet
AwsEc2NetworkAcl AWS::EC2::NetworkAcl
AwsElbv2LoadBalancer AWS::ElasticLoadBalancingV2::LoadBalancer
AwsElasticBeanstalkEnvironment AWS::ElasticBeanstalk::Environment
AwsElasticsearchDomain AWS::Elasticsearch::Domain
AwsS3Bucket AWS::S3::Bucket
AwsSecretsManagerSecret AWS::SecretsManager::Secret
AwsIamAccessKey AWS::IAM::AccessKey
AwsIamUser AWS::IAM::User
AwsIamPolicy AWS::IAM::Policy
AwsApiGatewayV2Stage AWS::ApiGatewayV2::Stage
AwsApiGatewayV2Api AWS::ApiGatewayV2::Api
AwsDynamoDbTable AWS::DynamoDB::Table
AwsApiGatewayStage AWS::ApiGateway::Stage
AwsApiGatewayRestApi AWS::ApiGateway::RestApi
AwsCloudTrailTrail AWS::CloudTrail::Trail
AwsCertificateManagerCertificate AWS::CertificateManager::Certificate
AwsRedshiftCluster AWS::Redshift::Cluster
AwsElbLoadBalancer AWS::ElasticLoadBalancing::LoadBalancer
AwsIamGroup AWS::IAM::Group
AwsIamRole AWS::IAM::Role
AwsKmsKey AWS::KMS::Key
AwsLambdaFunction AWS::Lambda::Function
AwsLambdaLayerVersion AWS::Lambda::LayerVersion
AwsRdsDbInstance AWS::RDS::DBInstance
AwsSnsTopic AWS::SNS::Topic
AwsSqsQueue AWS::SQS::Queue
AwsWafWebAcl AWS::WAF::WebACL
AwsRdsDbCluster AWS::RDS::DBCluster
AwsEcsCluster AWS::ECS::Cluster
AwsEcsTaskDefinition AWS::ECS::TaskDefinition
AwsRdsEventSubscription AWS::RDS::EventSubscription
AwsEcsService AWS::ECS::Service
AwsAutoScalingLaunchConfiguration AWS::AutoScaling::LaunchConfiguration
AwsOpenSearchServiceDomain AWS::OpenSearchService::Domain
AwsEcrRepository AWS::ECR::Repository
AwsEksCluster AWS::EKS::Cluster
AwsNetworkFirewallFirewallPolicy AWS::NetworkFirewall::FirewallPolicy
AwsNetworkFirewallFirewall AWS::NetworkFirewall::Firewall
AwsNetworkFirewallRuleGroup AWS::NetworkFirewall::RuleGroup
AwsRdsDbSecurityGroup AWS::RDS::DBSecurityGroup
AwsKinesisStream AWS::Kinesis::Stream
AwsEc2TransitGateway AWS::EC2::TransitGateway
AwsEfsAccessPoint AWS::EFS::AccessPoint
AwsCloudFormationStack AWS::CloudFormation::Stack
AwsCloudWatchAlarm AWS::CloudWatch::Alarm
AwsWafRegionalRuleGroup AWS::WAFRegional::RuleGroup
AwsWafRegionalRule AWS::WAFRegional::Rule
AwsWafRegionalWebAcl AWS::WAFRegional::WebACL
AwsWafRule AWS::WAF::Rule
AwsBackupBackupVault AWS::Backup::BackupVault
AwsBackupBackupPlan AWS::Backup::BackupPlan
AwsEc2LaunchTemplate AWS::EC2::LaunchTemplate
AwsSageMakerNotebookInstance AWS::SageMaker::NotebookInstance
AwsWafv2WebAcl AWS::WAFv2::WebACL
AwsWafv2RuleGroup AWS::WAFv2::RuleGroup
AwsEc2RouteTable AWS::EC2::RouteTable
AwsAmazonMqBroker AWS::AmazonMQ::Broker
AwsAppSyncGraphQlApi AWS::AppSync::GraphQLApi
AwsEventSchemasRegistry AWS::EventSchemas::Registry
AwsGuardDutyDetector AWS::GuardDuty::Detector
AwsStepFunctionStateMachine AWS::StepFunctions::StateMachine
AwsAthenaWorkGroup AWS::Athena::WorkGroup
AwsEventsEventbus AWS::Events::EventBus
AwsDmsEndpoint AWS::DMS::Endpoint
AwsDmsReplicationTask AWS::DMS::ReplicationTask
AwsDmsReplicationInstance AWS::DMS::ReplicationInstance
AwsRoute53HostedZone AWS::Route53::HostedZone
AwsMskCluster AWS::MSK::Cluster
AwsS3AccessPoint AWS::S3::AccessPoint
AwsEc2ClientVpnEndpoint AWS::EC2::ClientVpnEndpoint
AwsAccount AWS::::Account
"""

CLOUDFORMATION_TYPES: dict[str, str] = dict(line.split() for line in _PAIRS.strip().splitlines())
ASFF_TYPES: dict[str, str] = {
    cloudformation: asff for asff, cloudformation in CLOUDFORMATION_TYPES.items()
}

_UNPAIRED = """
AwsS3AccountPublicAccessBlock AwsS3Object AwsSsmPatchCompliance AwsRdsDbSnapshot AwsRdsDbClusterSnapshot
AwsEcsContainer Container Other AwsEc2VpnConnection AwsEcrContainerImage AwsEc2VpcEndpointService
AwsXrayEncryptionConfig AwsWafRateBasedRule AwsWafRegionalRateBasedRule AwsEc2VpcPeeringConnection AwsWafRuleGroup
AwsEcsTask AwsBackupRecoveryPoint AwsEventsEndpoint CodeRepository AzureResource GcpResource
"""
ASFF_ALONE = frozenset(_UNPAIRED.split())
"""The other members of ASFF's ResourceDetails (API_ResourceDetails), whose counterpart is not sure."""
