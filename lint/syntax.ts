/** What the rules of this folder read of a syntax tree (ESTree with TypeScript's additions). */
export interface SyntaxNode {
  readonly type: string
  readonly parent: SyntaxNode | null
  readonly name?: string
  readonly computed?: boolean
  readonly declare?: boolean
  readonly kind?: string
  readonly importKind?: 'type' | 'value'
  readonly exportKind?: 'type' | 'value'
  readonly object?: SyntaxNode
  readonly imported?: SyntaxNode
  readonly local?: SyntaxNode
  readonly source?: SyntaxNode | null
  readonly expression?: SyntaxNode
  readonly specifiers?: readonly SyntaxNode[]
  readonly quasis?: readonly { readonly value: { readonly cooked: string | null } }[]
  readonly value?: unknown
}

/** A use of a name. */
interface Reference {
  readonly identifier: SyntaxNode
}

/** The scope above all files: what the language and the platform give, and uses of names that nobody has declared. */
interface GlobalScope {
  readonly through: readonly Reference[]
  readonly set: ReadonlyMap<
    string,
    { readonly defs: readonly unknown[]; readonly references: readonly Reference[] }
  >
}

/** What the linter gives a rule. `Options` are what `oxlint.config.ts` says after the severity. */
export interface RuleContext<Options extends readonly unknown[]> {
  readonly filename: string
  readonly cwd: string
  readonly options: Options
  readonly sourceCode: {
    readonly scopeManager: { readonly globalScope: GlobalScope }
  }
  report(this: void, problem: { node: SyntaxNode; message: string }): void
}

/** A rule of the linter: what to do at which kind of node. */
export interface Rule<Options extends readonly unknown[]> {
  readonly meta: { readonly type: 'problem'; readonly schema: false }
  create(context: RuleContext<Options>): Record<string, (node: SyntaxNode) => void>
}

/** The text of a literal or of a template without holes, undefined for everything that is computed. */
export function constantText(node: SyntaxNode): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  const [only, ...others] = node.quasis ?? []
  if (node.type === 'TemplateLiteral' && only !== undefined && others.length === 0) {
    return only.value.cooked ?? undefined
  }
  return undefined
}
