/**
 * `authorized_keys` with one more key, which may be several lines fetched from somewhere: rancher/k3os pkg/ssh. A text
 * that occurs anywhere in the file is not added, so part of another key counts as there; nothing is ever removed.
 */
export function withAuthorizedKey(text: string, key: string): string {
  return key === '' || text.includes(key) ? text : `${text}${key}\n`
}
