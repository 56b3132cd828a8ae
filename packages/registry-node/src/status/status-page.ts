import { ttlClasses } from '../store/usage.ts'
import { chartBox } from './chart-path.ts'
import { barWidth, minutesPerRow } from './page-figures.ts'
import type { PageFigures } from './page-figures.ts'
import { keptAggregates } from './traffic-history.ts'

const classNames = { hour: 'Up to 1 hour', day: 'Up to 1 day', week: 'Up to 7 days', all: 'All' }

/**
 * The page for the operator of a node, and for whoever asks. It is complete without its script, which only fills in newer
 * figures. Nothing on it comes from anywhere but the node. `links` are further pages of the node, by their address.
 */
export function statusPage(figures: PageFigures, links: Readonly<Record<string, string>>): string {
  const text = (id: string): string => escape(figures.texts[id] ?? '')
  const attributes = (id: string): string =>
    Object.entries(figures.attributes[id] ?? {})
      .map(([name, value]) => ` ${name}="${escape(value)}"`)
      .join('')
  const live = (tag: string, id: string, more = ''): string =>
    `<${tag} id="${id}"${more}${attributes(id)}>${text(id)}</${tag}>`
  const term = (name: string, id: string, more = ''): string =>
    `<div><dt>${name}</dt>${live('dd', id, more)}</div>`

  const storedRow = (name: keyof typeof classNames): string => `
        <tr>
          <th scope="row">${classNames[name]}</th>
          ${live('td', `rows-${name}`)}
          ${live('td', `bytes-${name}`)}
          ${live('td', `capacity-${name}`)}
          <td><span class="share">${live('span', `share-${name}`)}
            <svg class="bar" viewBox="0 0 ${barWidth} 6" preserveAspectRatio="none" aria-hidden="true">
              <rect class="bar-all" width="${barWidth}" height="6"/>
              <rect class="bar-used" height="6" id="bar-${name}"${attributes(`bar-${name}`)}/>
            </svg></span></td>
        </tr>`

  const chart = (name: string, title: string): string => `
      <figure>
        <figcaption id="${name}-title">${title}</figcaption>
        <p class="legend" aria-hidden="true">
          <span class="key key-put">puts</span> <span class="key key-get">gets</span>
        </p>
        <p class="axis" aria-hidden="true">${live('span', `${name}-top`)}</p>
        <svg class="chart" viewBox="0 0 ${chartBox.width} ${chartBox.height}" preserveAspectRatio="none"
          role="img" aria-labelledby="${name}-title ${name}-summary">
          <path class="grid" d="M0 0H${chartBox.width}M0 ${chartBox.height / 2}H${chartBox.width}M0 ${chartBox.height}H${chartBox.width}"/>
          <path class="line line-get" id="${name}-get"${attributes(`${name}-get`)}/>
          <path class="line line-put" id="${name}-put"${attributes(`${name}-put`)}/>
        </svg>
        <p class="axis" aria-hidden="true"><span>${keptAggregates} minutes ago</span><span>now</span></p>
        ${live('p', `${name}-summary`, ' class="summary"')}
      </figure>`

  const trafficRow = (index: number): string => `
          <tr>
            <th scope="row" class="whole">${index * minutesPerRow}–${(index + 1) * minutesPerRow} min</th>
            ${live('td', `put-rate-${index}`)}
            ${live('td', `get-rate-${index}`)}
            ${live('td', `put-median-${index}`)}
            ${live('td', `get-median-${index}`)}
          </tr>`
  const trafficRows = Array.from({ length: keptAggregates / minutesPerRow }, (_, i) =>
    trafficRow(i)
  )
  const linkItems = Object.entries(links).map(
    ([address, name]) => `<li><a href="${escape(address)}">${escape(name)}</a></li>`
  )

  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Hushlamp registry node</title>
  <link rel="icon" href="/status/lamp.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/status/status.css">
  <script src="/status/status.js" defer></script>
</head>
<body>
  <header>
    <h1><img src="/status/lamp.svg" alt="" width="36" height="36"> Hushlamp registry node</h1>
    ${live('p', 'state', ' role="status"')}
  </header>
  <main>
    <section aria-labelledby="node">
      <h2 id="node">Node</h2>
      <dl>
        ${term('Peer id', 'peer-id', ' class="code"')}
        ${term('Onion address', 'onion', ' class="code"')}
        ${term('Version', 'version')}
        ${term('Running for', 'uptime')}
        ${term('Connected peers', 'peers')}
        ${term('Network', 'network')}
      </dl>
    </section>
    <section aria-labelledby="stored">
      <h2 id="stored">Stored</h2>
      <table>
        <caption>Values by the time to live that was asked for</caption>
        <thead>
          <tr>
            <th scope="col">Time to live</th>
            <th scope="col">Values</th>
            <th scope="col">On disk</th>
            <th scope="col">Capacity</th>
            <th scope="col">Used</th>
          </tr>
        </thead>
        <tbody>${ttlClasses.map(storedRow).join('')}
        </tbody>
        <tfoot>${storedRow('all')}
        </tfoot>
      </table>
    </section>
    <section aria-labelledby="traffic">
      <h2 id="traffic">Traffic</h2>
      <div class="charts">${chart('rate', 'Requests per second')}
${chart('median', 'Time to answer, median')}
      </div>
      <details>
        <summary>The same in numbers</summary>
        <table>
          <caption>Last hour: mean requests per second, greatest median of a minute</caption>
          <thead>
            <tr>
              <th scope="col">Ago</th>
              <th scope="col">Puts / s</th>
              <th scope="col">Gets / s</th>
              <th scope="col">Put takes</th>
              <th scope="col">Get takes</th>
            </tr>
          </thead>
          <tbody>${trafficRows.join('')}
          </tbody>
        </table>
      </details>
    </section>
    <section aria-labelledby="terms">
      <h2 id="terms">Terms</h2>
      <dl>
        ${term('Longest value', 'max-value')}
        ${term('Longest time to live', 'max-ttl')}
        ${term('Effort of a put, 1 hour', 'price-hour')}
        ${term('Effort of a put, 1 day', 'price-day')}
        ${term('Effort of a put, 7 days', 'price-week')}
      </dl>
    </section>
  </main>
  <footer>
    <p>Figures of <span id="taken">${text('taken')}</span>, rounded. <span id="refresh" role="status"></span></p>
    <p>This node notes nothing about the people who use it: no addresses, no keys, no times.</p>
    <nav aria-label="More of this node"><ul>${linkItems.join('')}</ul></nav>
  </footer>
</body>
</html>
`
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
