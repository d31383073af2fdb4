import { entriesOf } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import { sourceLeaves, type Translation, type Translator } from '../../src/core/translation.ts'

/** Why nothing is translated; the target is asked for often enough to deserve an answer. */
export const reason =
  'it runs its own kubelet against an existing control plane and has neither a place nor a shell for k3s'

/** A refusal for each node, with every value it would lose. */
export const translator: Translator = {
  id: 'bottlerocket',
  title: 'Bottlerocket',
  requires: {
    machines: [],
    memoryMib: 0,
    diskMib: 0,
    x86Level: 1,
    firmware: ['uefi', 'bios'],
    cgroup: ['v2'],
    rejoins: false,
  },
  translate({ name, config }): Translation {
    return {
      files: [],
      delivery: { kind: 'none', reason },
      findings: [
        translateFinding('TRN-REFUSED', { target: 'Bottlerocket', reason }, { node: name }),
        ...entriesOf(sourceLeaves(config)).map((path) =>
          translateFinding('TRN-REFUSED-VALUE', { target: 'Bottlerocket' }, { node: name, path }),
        ),
      ],
      trace: [],
    }
  },
}
