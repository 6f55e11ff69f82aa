# syntax=docker/dockerfile:1

# Compiles TypeScript, the addon of native/, and better-sqlite3, whose prebuilt binary may be out of reach.
FROM node:22-bookworm-slim AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
COPY native ./native
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
LABEL org.opencontainers.image.title="Sigstead" \
  org.opencontainers.image.description="A self-hosted transparency log and private Sigstore stack" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
  SIGSTEAD_DATA_DIR=/data \
  SIGSTEAD_LISTEN=0.0.0.0:3000 \
  SIGSTEAD_METRICS_LISTEN=0.0.0.0:2112
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/native/build/Release/sigstead_crypto.node ./native/build/Release/
COPY package.json LICENSE ./
COPY migrations ./migrations
COPY openapi ./openapi
# The volume is born with the owner this directory has.
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 3000 2112
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:3000/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
