import t from 'tap'
import { stubApp } from '../helpers/stub-app.js'

t.test('unknown paths and wrong methods', async (t) => {
  const { inject } = await stubApp()
  for (const method of ['GET', 'POST', 'PUT', 'PROPFIND', 'OPTIONS']) {
    const answer = await inject({ method, url: '/nothing?x=1' })
    t.equal(answer.status, 404)
    t.strictSame(answer.json, { code: 404, message: 'path /nothing was not found' })
  }
  for (const method of ['DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
    const answer = await inject({ method, url: '/api/v1/log/entries' })
    t.equal(answer.status, 405, method)
    t.equal(answer.headers.allow, 'POST,GET')
    t.strictSame(answer.json, {
      code: 405,
      message: `method ${method} is not allowed, but [POST,GET] are`
    })
  }
})
