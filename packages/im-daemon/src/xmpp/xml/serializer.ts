import { escapeAttribute, escapeText } from './characters.ts'
import type { XmlElement } from './element.ts'

/** Namespaces that are already declared where the text will stand. */
export interface NamespaceScope {
  /** The default namespace (`xmlns`). */
  readonly defaultNamespace: string
  /** Prefix of each further namespace that is declared. */
  readonly prefixes: ReadonlyMap<string, string>
}

/** Nothing is declared: the text can stand alone. */
export const emptyScope: NamespaceScope = { defaultNamespace: '', prefixes: new Map() }

/**
 * The element as XML. Whatever the tree holds, the text is well-formed and reads back as the same tree, apart from
 * characters that XML cannot carry: those are left out. Names are trusted; they come from the parser or from this
 * program.
 */
export function serialize(element: XmlElement, scope: NamespaceScope = emptyScope): string {
  const prefix = scope.prefixes.get(element.namespace)
  const name = prefix === undefined ? element.name : `${prefix}:${element.name}`
  const inner =
    prefix === undefined && element.namespace !== scope.defaultNamespace
      ? { ...scope, defaultNamespace: element.namespace }
      : scope
  let text = `<${name}`
  if (inner !== scope) text += ` xmlns='${escapeAttribute(element.namespace)}'`
  let declared = 0
  for (const [key, value] of element.attributes) {
    text += ' '
    if (key.startsWith('{')) {
      const end = key.lastIndexOf('}')
      const attributePrefix = `ns${declared++}`
      text += `xmlns:${attributePrefix}='${escapeAttribute(key.slice(1, end))}' `
      text += `${attributePrefix}:${key.slice(end + 1)}`
    } else {
      text += key
    }
    text += `='${escapeAttribute(value)}'`
  }
  if (element.children.length === 0) return `${text}/>`
  text += '>'
  for (const child of element.children) {
    text += typeof child === 'string' ? escapeText(child) : serialize(child, inner)
  }
  return `${text}</${name}>`
}
