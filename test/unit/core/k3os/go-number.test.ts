import { expect, test } from 'vitest'
import { formatFloat, formatFloat32 } from '../../../../src/core/k3os/go-number.ts'

// Printed by Go's fmt.Println.
test.each([
  [0, '0'],
  [-0, '-0'],
  [7, '7'],
  [999999, '999999'],
  [1000000, '1e+06'],
  [-1048576, '-1.048576e+06'],
  [1234567.5, '1.2345675e+06'],
  [123456.7, '123456.7'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [0.000012345, '1.2345e-05'],
  [1e21, '1e+21'],
  [2 ** 64, '1.8446744073709552e+19'],
  [5e-324, '5e-324'],
])('%d is written %s', (value, text) => {
  expect(formatFloat(value)).toBe(text)
})

test.each([
  [1.5, '1.5'],
  [0.1, '0.1'],
  [3.14159265358979, '3.1415927'],
  [12345678.25, '1.2345678e+07'],
  [1e300, '+Inf'],
])('%d is written %s as a 32-bit float', (value, text) => {
  expect(formatFloat32(value)).toBe(text)
})
