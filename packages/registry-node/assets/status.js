// Fills newer figures into the page. Without it the page is complete, and as old as its loading.
const everyMs = 10_000
const patienceMs = 8000

async function refresh() {
  const note = document.getElementById('refresh')
  try {
    const signal = AbortSignal.timeout(patienceMs)
    const answer = await fetch('/status/figures.json', { cache: 'no-store', signal })
    if (!answer.ok) throw new Error(String(answer.status))
    const { texts, attributes } = await answer.json()
    for (const [id, text] of Object.entries(texts)) setText(document.getElementById(id), text)
    for (const [id, values] of Object.entries(attributes)) {
      const element = document.getElementById(id)
      for (const [name, value] of Object.entries(values)) element?.setAttribute(name, value)
    }
    setText(note, '')
  } catch {
    setText(note, 'The node does not answer now; this page tries again.')
  }
  setTimeout(refresh, everyMs)
}

/** Leaves alone what stays the same, so that a screen reader does not say it again. */
function setText(element, text) {
  if (element !== null && element.textContent !== text) element.textContent = text
}

setTimeout(refresh, everyMs)
