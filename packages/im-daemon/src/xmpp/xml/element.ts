/** What an element holds: elements and character data. */
export type XmlNode = XmlElement | string

/**
 * Attributes by name. An attribute that belongs to a namespace is named `{namespace}local`; only `xml:lang` and its kin
 * keep their prefix, which XML reserves for them.
 */
export type XmlAttributes = ReadonlyMap<string, string>

/** Attributes as one writes them down; those that are undefined are left out. */
export type AttributeInit = Readonly<Record<string, string | undefined>>

/** An element of an XML tree that nobody changes: who wants another one makes it. */
export class XmlElement {
  /** Local name, without prefix. */
  readonly name: string
  readonly namespace: string
  readonly attributes: XmlAttributes
  readonly children: readonly XmlNode[]

  constructor(
    name: string,
    namespace: string,
    attributes: XmlAttributes,
    children: readonly XmlNode[]
  ) {
    this.name = name
    this.namespace = namespace
    this.attributes = attributes
    this.children = children
  }

  /** Value of an attribute, or undefined where it is absent. */
  attribute(name: string): string | undefined {
    return this.attributes.get(name)
  }

  /** Whether the element has this name in this namespace. */
  is(name: string, namespace: string): boolean {
    return this.name === name && this.namespace === namespace
  }

  /** The child elements, without character data. */
  elements(): readonly XmlElement[] {
    return this.children.filter((child) => child instanceof XmlElement)
  }

  /** The first child of this name; without `namespace` one in the namespace of this element. */
  child(name: string, namespace: string = this.namespace): XmlElement | undefined {
    return this.elements().find((child) => child.is(name, namespace))
  }

  /** All children of this name; without `namespace` those in the namespace of this element. */
  childrenNamed(name: string, namespace: string = this.namespace): readonly XmlElement[] {
    return this.elements().filter((child) => child.is(name, namespace))
  }

  /** The character data directly inside, put together. */
  text(): string {
    return this.children.filter((child) => typeof child === 'string').join('')
  }

  /** Character data of the first child of this name, or undefined where there is no such child. */
  childText(name: string, namespace: string = this.namespace): string | undefined {
    return this.child(name, namespace)?.text()
  }

  /** The same element with these attributes set, or left out where undefined. */
  withAttributes(changes: AttributeInit): XmlElement {
    const attributes = new Map(this.attributes)
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) attributes.delete(name)
      else attributes.set(name, value)
    }
    return new XmlElement(this.name, this.namespace, attributes, this.children)
  }
}

/**
 * Makes an element in `namespace`. A child that is undefined is left out, so that optional parts can be written in
 * place.
 */
export function xml(
  name: string,
  namespace: string,
  attributes: AttributeInit = {},
  ...children: readonly (XmlNode | undefined)[]
): XmlElement {
  const present = new Map<string, string>()
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) present.set(key, value)
  }
  return new XmlElement(
    name,
    namespace,
    present,
    children.filter((child) => child !== undefined).filter((child) => child !== '')
  )
}
