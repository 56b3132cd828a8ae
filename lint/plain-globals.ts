import type { Rule, SyntaxNode } from './syntax.ts'

function isPlainMember(node: SyntaxNode): boolean {
  const { parent } = node
  if (parent?.type === 'TSQualifiedName' || parent?.type === 'TSTypeQuery') return true
  return parent?.type === 'MemberExpression' && parent.object === node && parent.computed !== true
}

/**
 * The globals named in the options appear only as `name.member`. Given away, taken apart or indexed they would carry
 * members past `no-restricted-properties`: `const m = Math; m.random()`.
 */
export const plainGlobals: Rule<readonly string[]> = {
  meta: { type: 'problem', schema: false },
  create(context) {
    return {
      'Program:exit'() {
        const { set, through } = context.sourceCode.scopeManager.globalScope
        for (const name of context.options) {
          const builtIn = set.get(name)
          const known = builtIn?.defs.length === 0 ? builtIn.references : []
          const uses = [...known, ...through.filter(({ identifier }) => identifier.name === name)]
          for (const { identifier } of uses.filter((use) => !isPlainMember(use.identifier))) {
            context.report({
              node: identifier,
              message: `Write '${name}.member'; the object itself does not travel.`
            })
          }
        }
      }
    }
  }
}
