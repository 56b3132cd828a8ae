import { dirname, relative, resolve } from 'node:path'
import { constantText } from './syntax.ts'
import type { Rule, SyntaxNode } from './syntax.ts'

/** What the files of a room may import. */
export interface ImportRules {
  /** The folder, from the root of the repository, that relative imports must not leave. */
  readonly home: string
  /** The packages of this repository below this one, with the subpaths that are open to it. */
  readonly packages: readonly string[]
  /**
   * Every other module, as `true` or as the names of the values that may be taken from it (types may always be
   * taken). Without this table the room may import what it likes from outside of the repository.
   */
  readonly modules?: Readonly<Record<string, true | readonly string[]>>
  /** Told to whoever meets the wall. */
  readonly reason: string
}

/** One import, export-from or `import()`, whatever its form. */
interface Reach {
  readonly node: SyntaxNode
  readonly specifier: string | undefined
  /** Names of the values that are taken; `*` for all at once; empty for an import of types alone. */
  readonly values: readonly string[]
}

const everything = ['*']

function importedValue(specifier: SyntaxNode): string[] {
  if (specifier.importKind === 'type' || specifier.exportKind === 'type') return []
  if (specifier.type === 'ImportNamespaceSpecifier') return everything
  if (specifier.type === 'ImportDefaultSpecifier') return ['default']
  const name = specifier.type === 'ExportSpecifier' ? specifier.local : specifier.imported
  return [name?.name ?? String(name?.value)]
}

function reachOf(node: SyntaxNode, source: SyntaxNode, values: readonly string[]): Reach {
  return { node: source, specifier: constantText(source), values: isTypeOnly(node) ? [] : values }
}

function isTypeOnly(node: SyntaxNode): boolean {
  return node.importKind === 'type' || node.exportKind === 'type'
}

/** Why the reach is out of bounds, undefined if it is not. */
function objection(reach: Reach, filename: string, root: string, rules: ImportRules) {
  const { specifier, values } = reach
  if (specifier === undefined) return 'What is imported must be written out.'
  if (/^\.\.?(?:\/|$)/.test(specifier)) {
    const path = relative(resolve(root, rules.home), resolve(dirname(filename), specifier))
    return path.startsWith('..') || /(?:^|\/)node_modules\//.test(path)
      ? `'${specifier}' leaves ${rules.home}.`
      : undefined
  }
  if (specifier.startsWith('@hushlamp/')) {
    return rules.packages.includes(specifier)
      ? undefined
      : `'${specifier}' is not below this package, or not its front door.`
  }
  if (
    rules.modules === undefined &&
    /^[@\w]/.test(specifier) &&
    !/^\w+:\/|^data:/.test(specifier)
  ) {
    return undefined
  }
  const allowed = Object.hasOwn(rules.modules ?? {}, specifier)
    ? rules.modules?.[specifier]
    : undefined
  if (allowed === undefined) return `'${specifier}' is not on the list of this room.`
  const excess = allowed === true ? undefined : values.find((name) => !allowed.includes(name))
  return excess === undefined ? undefined : `'${excess}' of '${specifier}' is not on the list.`
}

/**
 * Imports are open only as the room's list says, in every form in which a module can be reached: `import`, `import()`,
 * `export … from`, `import =` and types. A list of what is open, unlike one of what is closed, has no gaps.
 */
export const allowedImports: Rule<readonly [ImportRules]> = {
  meta: { type: 'problem', schema: false },
  create(context) {
    const [rules] = context.options
    const check = (reach: Reach) => {
      const problem = objection(reach, context.filename, context.cwd, rules)
      if (problem !== undefined) {
        context.report({ node: reach.node, message: `${problem} ${rules.reason}` })
      }
    }
    const fromClause = (node: SyntaxNode) => {
      if (!node.source) return
      const named = node.specifiers?.flatMap((specifier) => importedValue(specifier)) ?? everything
      const values = node.specifiers?.length === 0 ? everything : named
      check(reachOf(node, node.source, values))
    }
    return {
      ImportDeclaration: fromClause,
      ExportNamedDeclaration: fromClause,
      ExportAllDeclaration: fromClause,
      ImportExpression: fromClause,
      TSImportType(node) {
        if (node.source) check(reachOf(node, node.source, []))
      },
      TSExternalModuleReference(node) {
        if (node.expression) check(reachOf(node, node.expression, everything))
      }
    }
  }
}
