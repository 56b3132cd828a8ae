import type { BrowserContext, Page, Response } from 'playwright-core'

/** Runs in the page, before its own scripts. */
const reportViolations = `document.addEventListener('securitypolicyviolation', (event) => {
  hushlampTestViolation('policy: ' + event.effectiveDirective + ' ' + event.blockedURI)
})`

/** A page with a record of what it asked for and of what it complained about. */
export class ObservedPage implements AsyncDisposable {
  /** The page itself, for looking and clicking. */
  readonly page: Page
  /** Addresses of all requests, in order. */
  readonly requests: string[] = []
  /** Violations of the content security policy, uncaught errors, errors and warnings of the console, failed requests. */
  readonly complaints: string[] = []
  readonly #context: BrowserContext

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context
    this.page = page
  }

  /** A new page in a context. */
  static async open(context: BrowserContext): Promise<ObservedPage> {
    const page = await context.newPage()
    const observed = new ObservedPage(context, page)
    const complain = (text: string): void => {
      observed.complaints.push(text)
    }
    await context.exposeFunction('hushlampTestViolation', complain)
    await context.addInitScript({ content: reportViolations })
    context.on('request', (request) => {
      observed.requests.push(request.url())
    })
    context.on('requestfailed', (request) => {
      complain(`request failed: ${request.url()} ${request.failure()?.errorText ?? ''}`)
    })
    context.on('response', (response) => {
      if (response.status() >= 400) complain(`${response.status()}: ${response.url()}`)
    })
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complain(`console: ${message.text()}`)
    })
    page.on('pageerror', (error) => {
      complain(`error: ${error.message}`)
    })
    return observed
  }

  /** Goes to an address and waits until nothing more is being fetched. */
  async open(address: string): Promise<Response | null> {
    return this.page.goto(address, { waitUntil: 'networkidle' })
  }

  /** By how many pixels the page is wider than the window. */
  async overflow(): Promise<number> {
    return this.page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
  }
}
