// Numbers as Go writes them. k3OS turns every YAML number into a 64-bit float on its way through JSON and prints it with
// `%v` (rancher/mapper convert.ToString), which is where `1048576` becomes `1.048576e+06`.

/** Go's `%v` of a float64: shortest digits that give the value back. */
export function formatFloat(value: number): string {
  return Number.isFinite(value) ? generalFormat(value, value.toExponential()) : nonFinite(value)
}

/** The same for a float32: ghodss/yaml writes numbers that are map keys this way. */
export function formatFloat32(value: number): string {
  const single = Math.fround(value)
  if (!Number.isFinite(single)) return nonFinite(single)
  // Nine digits always tell two 32-bit floats apart.
  for (let digits = 0; digits < 8; digits += 1) {
    const text = single.toExponential(digits)
    if (Math.fround(Number(text)) === single) return generalFormat(single, text)
  }
  return generalFormat(single, single.toExponential(8))
}

function nonFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** Exponent form from a million on and below 0.0001, with two exponent digits at least; a plain decimal between. */
function generalFormat(value: number, exponential: string): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', exponentText = ''] = exponential.split('e')
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < 6) return Number(exponential).toString()
  const digits = Math.abs(exponent).toString().padStart(2, '0')
  const shortest = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  return `${shortest}e${exponent < 0 ? '-' : '+'}${digits}`
}
