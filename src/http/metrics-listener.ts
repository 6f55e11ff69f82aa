import { createServer } from 'node:http'
import type { Metrics } from '../metrics.js'

/** The metrics go nowhere but to the operator: a listener of its own, one path, nothing about requests is kept. */
export function createMetricsServer(metrics: Pick<Metrics, 'render' | 'contentType'>) {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    request.resume()
    const path = request.url?.replace(/\?.*$/, '')
    if (path !== '/metrics') {
      response.writeHead(404).end()
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
    } else {
      metrics.render().then(
        (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        () => response.writeHead(500).end()
      )
    }
  })
}
