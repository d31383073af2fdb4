/** The kinds that k3s and system-upgrade-controller define, as far as the API server is concerned. */
function customResource(group: string, kind: string, plural: string): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  }
}

export const k3sResources = [
  customResource('upgrade.cattle.io', 'Plan', 'plans'),
  customResource('k3s.cattle.io', 'Addon', 'addons'),
  customResource('helm.cattle.io', 'HelmChart', 'helmcharts'),
  customResource('helm.cattle.io', 'HelmChartConfig', 'helmchartconfigs'),
] as const
