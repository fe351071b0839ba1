import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
	plugins: [sveltekit()],
	build: { assetsInlineLimit: 0 }, // fonts and worklets as files of their own: the policy allows no data: scripts
	worker: { format: 'es' },
	test: { include: ['src/**/*.test.ts'] }
});
