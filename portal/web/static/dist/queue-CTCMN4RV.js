import{a,b,c,d,e}from"/static/dist/chunk-FPIEFNAK.js";export{c as discard,b as keep,e as keepSending,a as kept,d as send};
