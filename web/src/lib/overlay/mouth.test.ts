import { expect, it } from 'vitest';
import { outline, SHAPES, towards } from './mouth';

it('draws every shape with finite numbers', () => {
	for (const shape of Object.values(SHAPES)) expect(outline(shape)).not.toMatch(/NaN|Infinity/);
});

it('closes for silence and lips, opens widest for aa', () => {
	expect(SHAPES.sil.open).toBe(0);
	expect(SHAPES.PP.open).toBe(0);
	expect(Math.max(...Object.values(SHAPES).map((shape) => shape.open))).toBe(SHAPES.aa.open);
});

it('gets there, whatever the frame rate', () => {
	let slow = SHAPES.sil;
	let quick = SHAPES.sil;
	for (let i = 0; i < 6; i++) slow = towards(slow, SHAPES.aa, 50);
	for (let i = 0; i < 60; i++) quick = towards(quick, SHAPES.aa, 5);
	expect(slow.open).toBeCloseTo(quick.open, 5);
	expect(slow.open).toBeGreaterThan(0.95);
});
