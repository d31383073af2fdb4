/**
 * Versions of Kubernetes APIs that are gone, or whose end is set: group/version, minor that brought these kinds
 * (`-` = with the group/version, before anything k3OS ran), minor without them, version to use
 * instead (`-` = none), kinds.
 *
 * From the life-cycle marks of kubernetes/api (zz_generated.prerelease-lifecycle.go, master of July 2026 and earlier
 * releases). Kinds of lists are left out.
 */
export const removedApiTable = `
apps/v1beta1 - 16 apps/v1 ControllerRevision,Deployment,DeploymentRollback,StatefulSet
apps/v1beta1 - 16 autoscaling/v1 Scale
apps/v1beta2 - 16 apps/v1 ControllerRevision,DaemonSet,Deployment,ReplicaSet,StatefulSet
apps/v1beta2 - 16 autoscaling/v1 Scale
extensions/v1beta1 - 16 apps/v1 DaemonSet,Deployment,ReplicaSet
extensions/v1beta1 - 16 - DeploymentRollback,Scale
extensions/v1beta1 - 16 networking.k8s.io/v1 NetworkPolicy
extensions/v1beta1 - 16 policy/v1beta1 PodSecurityPolicy
scheduling.k8s.io/v1alpha1 - 17 scheduling.k8s.io/v1 PriorityClass
flowcontrol.apiserver.k8s.io/v1alpha1 - 21 flowcontrol.apiserver.k8s.io/v1 FlowSchema,PriorityLevelConfiguration
admission.k8s.io/v1beta1 - 22 admission.k8s.io/v1 AdmissionReview
admissionregistration.k8s.io/v1beta1 - 22 admissionregistration.k8s.io/v1 MutatingWebhookConfiguration,ValidatingWebhookConfiguration
apiextensions.k8s.io/v1beta1 - 22 apiextensions.k8s.io/v1 CustomResourceDefinition
apiregistration.k8s.io/v1beta1 - 22 apiregistration.k8s.io/v1 APIService
authentication.k8s.io/v1beta1 - 22 authentication.k8s.io/v1 TokenReview
authorization.k8s.io/v1beta1 - 22 authorization.k8s.io/v1 LocalSubjectAccessReview,SelfSubjectAccessReview,SelfSubjectRulesReview,SubjectAccessReview
certificates.k8s.io/v1beta1 - 22 certificates.k8s.io/v1 CertificateSigningRequest
coordination.k8s.io/v1beta1 - 22 coordination.k8s.io/v1 Lease
extensions/v1beta1 - 22 networking.k8s.io/v1 Ingress
networking.k8s.io/v1beta1 - 22 networking.k8s.io/v1 Ingress,IngressClass
rbac.authorization.k8s.io/v1alpha1 - 22 rbac.authorization.k8s.io/v1 ClusterRole,ClusterRoleBinding,Role,RoleBinding
rbac.authorization.k8s.io/v1beta1 - 22 rbac.authorization.k8s.io/v1 ClusterRole,ClusterRoleBinding,Role,RoleBinding
scheduling.k8s.io/v1beta1 - 22 scheduling.k8s.io/v1 PriorityClass
storage.k8s.io/v1beta1 - 22 storage.k8s.io/v1 CSIDriver,CSINode,StorageClass,VolumeAttachment
audit.k8s.io/v1alpha1 - 24 audit.k8s.io/v1 Policy
audit.k8s.io/v1beta1 - 24 audit.k8s.io/v1 Policy
storage.k8s.io/v1alpha1 - 24 storage.k8s.io/v1beta1 CSIStorageCapacity
storage.k8s.io/v1alpha1 - 24 storage.k8s.io/v1 VolumeAttachment
autoscaling/v2beta1 - 25 autoscaling/v2 HorizontalPodAutoscaler
batch/v1beta1 - 25 batch/v1 CronJob,JobTemplate
discovery.k8s.io/v1beta1 - 25 discovery.k8s.io/v1 EndpointSlice
events.k8s.io/v1beta1 - 25 events.k8s.io/v1 Event
node.k8s.io/v1beta1 - 25 node.k8s.io/v1 RuntimeClass
policy/v1beta1 - 25 policy/v1 Eviction,PodDisruptionBudget
policy/v1beta1 - 25 - PodSecurityPolicy
autoscaling/v2beta2 - 26 autoscaling/v2 HorizontalPodAutoscaler
flowcontrol.apiserver.k8s.io/v1beta1 - 26 flowcontrol.apiserver.k8s.io/v1 FlowSchema,PriorityLevelConfiguration
storage.k8s.io/v1beta1 21 27 storage.k8s.io/v1 CSIStorageCapacity
flowcontrol.apiserver.k8s.io/v1beta2 - 29 flowcontrol.apiserver.k8s.io/v1 FlowSchema,PriorityLevelConfiguration
networking.k8s.io/v1alpha1 - 31 - ClusterCIDR
admissionregistration.k8s.io/v1alpha1 - 32 admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy,ValidatingAdmissionPolicyBinding
authentication.k8s.io/v1alpha1 - 32 authentication.k8s.io/v1 SelfSubjectReview
flowcontrol.apiserver.k8s.io/v1beta3 - 32 flowcontrol.apiserver.k8s.io/v1 FlowSchema,PriorityLevelConfiguration
authentication.k8s.io/v1beta1 27 33 authentication.k8s.io/v1 SelfSubjectReview
networking.k8s.io/v1alpha1 - 33 networking.k8s.io/v1 IPAddress,ServiceCIDR
admissionregistration.k8s.io/v1beta1 28 34 admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy,ValidatingAdmissionPolicyBinding
apidiscovery.k8s.io/v2beta1 - 35 apidiscovery.k8s.io/v2 APIGroupDiscovery
storage.k8s.io/v1alpha1 - 35 storage.k8s.io/v1 VolumeAttributesClass
storagemigration.k8s.io/v1alpha1 - 36 storagemigration.k8s.io/v1 StorageVersionMigration
certificates.k8s.io/v1alpha1 - 37 certificates.k8s.io/v1 ClusterTrustBundle
coordination.k8s.io/v1alpha1 - 37 - LeaseCandidate
networking.k8s.io/v1beta1 31 37 networking.k8s.io/v1 IPAddress,ServiceCIDR
resource.k8s.io/v1alpha3 - 37 resource.k8s.io/v1 DeviceClass,ResourceClaim,ResourceClaimTemplate,ResourceSlice
storage.k8s.io/v1beta1 31 37 storage.k8s.io/v1 VolumeAttributesClass
admissionregistration.k8s.io/v1alpha1 - 38 admissionregistration.k8s.io/v1 MutatingAdmissionPolicy,MutatingAdmissionPolicyBinding
coordination.k8s.io/v1alpha2 - 38 - LeaseCandidate
resource.k8s.io/v1beta1 - 38 resource.k8s.io/v1 DeviceClass,ResourceClaim,ResourceClaimTemplate,ResourceSlice
coordination.k8s.io/v1beta1 33 39 - LeaseCandidate
resource.k8s.io/v1alpha3 - 39 - DeviceTaintRule
resource.k8s.io/v1beta2 - 39 resource.k8s.io/v1 DeviceClass,ResourceClaim,ResourceClaimTemplate,ResourceSlice
admissionregistration.k8s.io/v1beta1 34 40 admissionregistration.k8s.io/v1 MutatingAdmissionPolicy,MutatingAdmissionPolicyBinding
certificates.k8s.io/v1alpha1 - 40 certificates.k8s.io/v1 PodCertificateRequest
certificates.k8s.io/v1beta1 33 40 certificates.k8s.io/v1 ClusterTrustBundle,PodCertificateRequest
storagemigration.k8s.io/v1beta1 - 40 storagemigration.k8s.io/v1 StorageVersionMigration
resource.k8s.io/v1alpha3 - 42 - ResourcePoolStatusRequest
resource.k8s.io/v1beta2 - 42 - DeviceTaintRule
lifecycle.k8s.io/v1alpha1 - 43 - Eviction,EvictionRequest
scheduling.k8s.io/v1beta1 - 43 - PodGroup,Workload
`
