/**
 * Just enough of `/openapi/v2` for older kubectls to see that nodes and pods take server dry runs. They read it as
 * protobuf only (google/gnostic openapiv2/OpenAPIv2.proto), so it is written as such.
 */

function field(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]
}

function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields)
}

function patchOf(kind: string): Buffer {
  const queryParameter = message(field(2, 'query'), field(4, 'dryRun'))
  // ParametersItem, Parameter, NonBodyParameter.
  const parameter = field(1, field(2, field(3, queryParameter)))
  const objectKind = field(2, field(2, `{"group":"","version":"v1","kind":"${kind}"}`))
  const extension = message(field(1, 'x-kubernetes-group-version-kind'), objectKind)
  const operation = message(field(8, parameter), field(13, extension))
  return field(8, operation)
}

const paths = [
  ['/api/v1/nodes/{name}', 'Node'],
  ['/api/v1/namespaces/{namespace}/pods/{name}', 'Pod'],
] as const

export const openApiDocument = message(
  field(1, '2.0'),
  field(2, message(field(1, 'Kubernetes'), field(2, 'v1.24.17'))),
  field(
    8,
    message(...paths.map(([path, kind]) => field(2, message(field(1, path), field(2, patchOf(kind)))))),
  ),
)
