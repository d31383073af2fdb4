import manifest from '../package.json' with { type: 'json' }

/** The tool's own version, as documents and `--version` show it. */
export const toolVersion: string = manifest.version
