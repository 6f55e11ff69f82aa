import { Agent, request as sendRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TunnelEnd, type SendTunnelItem, type TunnelItem } from './tunnel.js'

/** Hands requests to the main thread and its answers to clients. */
export interface Forwarder {
  forward(request: IncomingMessage, response: ServerResponse): void
  /** @returns whether it was of a tunnel */
  receive(item: TunnelItem): void
}

/** Of one connection between two programs, not of what is asked (RFC 9110 section 7.6.1). Node writes its own. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'date']

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
      request.pipe(asked)
    }
  }
}

/** Headers as they were sent, the framing of the body included: the main thread judges it. */
function endToEnd({ rawHeaders, headers }: IncomingMessage): string[] {
  const isChunked = headers['transfer-encoding'] !== undefined
  const kept = withoutHeaders(rawHeaders, [
    'connection',
    'keep-alive',
    'transfer-encoding',
    'expect'
  ])
  return isChunked ? [...kept, 'transfer-encoding', 'chunked'] : kept
}

function answerWith(answer: IncomingMessage, response: ServerResponse, isLast: boolean): void {
  const { statusCode = 500, statusMessage = '', rawHeaders, headers } = answer
  const kept = withoutHeaders(rawHeaders, HOP_BY_HOP)
  if (isLast || headers.connection === 'close') kept.push('connection', 'close')
  response.writeHead(statusCode, statusMessage, kept)
  answer.pipe(response)
  answer.once('error', () => response.destroy())
}

/** @param raw names and values in turns */
function withoutHeaders(raw: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]]
    if (!names.includes(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}
