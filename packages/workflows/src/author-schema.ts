// What an input schema is made with, as `kyros/schema`; plain JSON Schema does as well.
export { type Static, Type } from 'typebox'
