import { Agent, request as sendRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TunnelEnd, type SendTunnelItem, type TunnelItem } from './tunnel.js'

/** Hands requests to the main thread and its answers to clients. */
export interface Forwarder {
  forward(request: IncomingMessage, response: ServerResponse): void
  /** @returns whether it was of a tunnel */
  receive(item: TunnelItem): void
}

/** Of one connection between two programs, not of what is asked or answered (RFC 9110 section 7.6.1). Node writes its own. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding']

/**
 * Each connection of a client that asks for something of the main thread gets one of its own to it, as long as it lives: bodies
 * stream, what is too large or too slow is refused while it comes, and a client that leaves is seen to leave.
 *
 * @param isStopping whether connections end with the answer that is under way
 */
export function createForwarder(send: SendTunnelItem, isStopping: () => boolean): Forwarder {
  const tunnels = new Map<number, TunnelEnd>()
  const agents = new WeakMap<Socket, Agent>()
  let lastTunnel = 0

  function openTunnel({ remoteAddress, remotePort }: Socket): TunnelEnd {
    const end = new TunnelEnd(++lastTunnel, { remoteAddress, remotePort }, send)
    tunnels.set(end.tunnel, end)
    end.once('close', () => tunnels.delete(end.tunnel))
    send({ type: 'tunnelOpen', tunnel: end.tunnel, remoteAddress, remotePort })
    return end
  }

  function agentOf(socket: Socket): Agent {
    const known = agents.get(socket)
    if (known !== undefined) return known
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    Object.assign(agent, { createConnection: () => openTunnel(socket) })
    agents.set(socket, agent)
    socket.once('close', () => agent.destroy())
    return agent
  }

  return {
    receive: (item) => tunnels.get(item.tunnel)?.receive(item),
    forward(request, response) {
      const asked = sendRequest({
        agent: agentOf(request.socket),
        method: request.method,
        path: request.url,
        headers: endToEnd(request),
        setHost: false
      })
      asked.once('response', (answer) => {
        answerWith(answer, response, isStopping())
        // What is left of a body that was refused goes nowhere.
        if (!request.complete) request.resume()
      })
      asked.once('error', () => {
        // The client has left, or the main thread has ended the connection without a word: so do we.
        response.destroy()
      })
      response.once('close', () => {
        if (!response.writableFinished) asked.destroy()
      })
      asked.flushHeaders() // what is refused for its headers has no need of a body
      request.pipe(asked)
    }
  }
}

/** Headers as they were sent, the framing of the body included: the main thread judges it. */
function endToEnd({ rawHeaders, headers }: IncomingMessage): string[] {
  // Node has told the client to go on with the body, where it asked.
  const kept = selectHeaders(rawHeaders, (name) => ![...HOP_BY_HOP, 'expect'].includes(name))
  if (headers['transfer-encoding'] !== undefined) kept.push('transfer-encoding', 'chunked')
  if (headers.host === undefined) kept.push('host', '') // HTTP/1.0 needs none, the tunnel does
  return kept
}

function answerWith(answer: IncomingMessage, response: ServerResponse, isLast: boolean): void {
  const { statusCode = 500, statusMessage = '', rawHeaders, headers } = answer
  const isClosing = headers.connection === 'close'
  const kept = selectHeaders(
    rawHeaders,
    (name) =>
      name !== 'date' && (!HOP_BY_HOP.includes(name) || (name === 'connection' && isClosing))
  )
  if (isLast && !isClosing) kept.push('connection', 'close')
  response.writeHead(statusCode, statusMessage, kept)
  answer.pipe(response)
  answer.once('error', () => response.destroy())
}

/** @param raw names and values in turns */
function selectHeaders(raw: readonly string[], isKept: (name: string) => boolean): string[] {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]]
    if (isKept(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}
