/** The text is not YAML for k3OS. `at` is an offset into the text; `problem` continues a sentence about the file. */
export class YamlProblem extends Error {
  override readonly name = 'YamlProblem'
  readonly at: number

  constructor(problem: string, at: number) {
    super(problem)
    this.at = at
  }
}
