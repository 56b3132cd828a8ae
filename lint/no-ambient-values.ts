import type { Rule, SyntaxNode } from './syntax.ts'

/**
 * No `declare` of values: it makes a global look like a name of the file's own, and so takes it out of sight of
 * `no-restricted-globals` and of a project that is compiled without Node's types.
 */
export const noAmbientValues: Rule<readonly []> = {
  meta: { type: 'problem', schema: false },
  create(context) {
    const refuse = (node: SyntaxNode) => {
      if (node.declare !== true && node.kind !== 'global') return
      context.report({ node, message: 'Ambient values and modules have no place in this room.' })
    }
    return {
      VariableDeclaration: refuse,
      FunctionDeclaration: refuse,
      TSDeclareFunction: refuse,
      ClassDeclaration: refuse,
      TSEnumDeclaration: refuse,
      TSModuleDeclaration: refuse
    }
  }
}
