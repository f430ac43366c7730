// NestJS: execstream below a path of an application with the Express adapter.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createExecstream, createMemoryLog, createPrismaStore } from 'execstream';

@Controller()
class AppController {
  @Get()
  root(): string {
    return 'the application';
  }
}

@Module({ controllers: [AppController] })
class AppModule {}

const log = createMemoryLog();
const store = createPrismaStore(
  process.env.DATABASE_URL ? { url: process.env.DATABASE_URL } : { memory: true },
);
const execstream = createExecstream({
  log,
  store,
  basePath: '/streams',
  authenticate(request) {
    const id = request.headers.get('x-user');
    return id === null ? undefined : { id };
  },
});

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'], forceCloseConnections: true });
// Before Nest's own parsers, guards and pipes, which do not apply to it.
app.use(execstream.node);
await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
console.log(`listening on ${await app.getUrl()}`);

process.on('SIGTERM', async () => {
  await execstream.close();
  await app.close();
  await Promise.all([log.close(), store.close()]);
});
