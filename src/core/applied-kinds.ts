import { versionsOf } from './k3s/ladder.ts'

/** A kind that is read only for how its objects were applied: of each object its metadata, and of that one annotation. */
export interface AppliedKind {
  readonly group: string
  readonly kind: string
  readonly plural: string
  /** Any of them shows all objects; the one that stays longest first. */
  readonly versions: readonly string[]
}

/**
 * Kinds with a version that ends, which people apply and the inventory reads for nothing else. Not here: what only
 * programs write (Event, Lease, CSINode, VolumeAttachment, IPAddress, ResourceSlice, …).
 */
const plurals: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'admissionregistration.k8s.io': {
    ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
    ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
  },
  'apiregistration.k8s.io': { APIService: 'apiservices' },
  'certificates.k8s.io': {
    CertificateSigningRequest: 'certificatesigningrequests',
    ClusterTrustBundle: 'clustertrustbundles',
  },
  'discovery.k8s.io': { EndpointSlice: 'endpointslices' },
  'flowcontrol.apiserver.k8s.io': {
    FlowSchema: 'flowschemas',
    PriorityLevelConfiguration: 'prioritylevelconfigurations',
  },
  'networking.k8s.io': {
    IngressClass: 'ingressclasses',
    NetworkPolicy: 'networkpolicies',
    ServiceCIDR: 'servicecidrs',
  },
  'node.k8s.io': { RuntimeClass: 'runtimeclasses' },
  policy: { PodSecurityPolicy: 'podsecuritypolicies' },
  'rbac.authorization.k8s.io': {
    ClusterRole: 'clusterroles',
    ClusterRoleBinding: 'clusterrolebindings',
    Role: 'roles',
    RoleBinding: 'rolebindings',
  },
  'resource.k8s.io': {
    DeviceClass: 'deviceclasses',
    ResourceClaim: 'resourceclaims',
    ResourceClaimTemplate: 'resourceclaimtemplates',
  },
  'scheduling.k8s.io': { PriorityClass: 'priorityclasses' },
  'storage.k8s.io': { CSIDriver: 'csidrivers', VolumeAttributesClass: 'volumeattributesclasses' },
  'storagemigration.k8s.io': { StorageVersionMigration: 'storageversionmigrations' },
}

export const appliedKinds: readonly AppliedKind[] = Object.entries(plurals).flatMap(([group, kinds]) =>
  Object.entries(kinds).map(([kind, plural]) => ({ group, kind, plural, versions: versionsOf(group, kind) })),
)
