import { describe, expect, it } from 'vitest'

import { serverList } from '../src/http/network-routes.ts'
import { httpInterface } from './http-interface.ts'

describe('the list of servers', () => {
  const nodes = [
    'http://127.0.0.1:5851',
    'http://registry.example',
    'https://[::1]',
    'http://abc.onion:80'
  ]
  const list = serverList(nodes, 1_139_000_000)
  const [header, ...lines] = list.split('\n')

  it('is in the form that OpenDHT’s clients read', () => {
    expect(list).toBe(
      'Fri Feb 03 20:53:20 UTC 2006\n' +
        '0:\t127.0.0.1:5851\t127.0.0.1\n' +
        '1:\tregistry.example:80\tregistry.example\n' +
        '2:\t[::1]:443\t[::1]\n' +
        '3:\tabc.onion:80\tabc.onion\n'
    )
  })

  it('gives its hosts to those who split lines at white space, and to those who leave out a line with UTC', () => {
    expect(header).toContain('UTC')
    expect(lines.slice(0, -1).map((line) => line.split(/\s+/)[2])).toEqual([
      '127.0.0.1',
      'registry.example',
      '[::1]',
      'abc.onion'
    ])
  })

  it('is text at /servers.txt', async () => {
    const app = httpInterface()
    const answer = await app.inject('/servers.txt')
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(answer.body.split('\n')).toHaveLength(5)
    await app.close()
  })
})
