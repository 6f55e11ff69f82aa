import type { Logger } from 'pino'
import type { LogEvent } from '../log/sequencer.js'
import type { Metrics } from '../metrics.js'

/** Where the events of a tree go: into metrics and, for the operator, into the log of the server. */
export function createEventSink(
  metrics: Metrics,
  logger: Logger
): (event: LogEvent, tree: { readonly treeId: string }) => void {
  return (event, { treeId }) => {
    tellMetrics(event, treeId, metrics)
    tellOperator(event, treeId, logger)
  }
}

function tellMetrics(event: LogEvent, treeId: string, metrics: Metrics): void {
  if (event.type === 'published') {
    metrics.batch({ treeId, newLeaves: event.leaves, published: true })
  } else if (event.type === 'failed') {
    metrics.batch({ treeId, newLeaves: 0, published: false })
  }
}

function tellOperator(event: LogEvent, treeId: string, logger: Logger): void {
  switch (event.type) {
    case 'published': {
      const { leaves, duplicates, treeSize, durationMs } = event
      const ms = Math.round(durationMs * 1000) / 1000
      logger.debug({ treeId, leaves, duplicates, treeSize, ms }, 'batch published')
      return
    }
    case 'failed':
      logger.error({ treeId, leaves: event.leaves, err: event.error }, 'batch failed')
      return
    case 'stopped':
      logger.fatal({ treeId, err: event.error }, 'the log has stopped: run sigstead verify')
  }
}
