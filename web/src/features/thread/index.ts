export { Lines } from './Lines'
export { Writer } from './Writer'
